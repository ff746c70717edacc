"""The nets on this machine: where they lie, whether they are whole, and how to get them."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from config.errors import ModelError
from reactions.landmarks.model_manifest import FILES, Edited, NetFile, Package, Shipped
from reactions.landmarks.package_archive import read_members
from reactions.landmarks.package_download import TIME_LIMIT, download

ENVIRONMENT = "SIDECAR_MODELS"
"""Names a folder to use in place of the platform's cache folder, such as one filled offline."""


class State(StrEnum):
    """How a file of the store is."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch is: ``done`` of about ``total`` bytes; ``what`` is under way."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the store."""

    net: NetFile
    path: Path
    state: State


class ModelStore:
    """A folder of nets, each pinned by its SHA-256."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        files: Mapping[str, NetFile] = FILES,
        patience: float = 2 * TIME_LIMIT,
    ) -> None:
        """``folder`` defaults to ``$SIDECAR_MODELS``, else to the platform's cache folder.

        ``patience`` is how many seconds a fetch waits for another process that fetches. Raises
        ``ModelError`` where a default is wanted and this user has no home.
        """
        self.folder = folder or _default_folder()
        self._files = files
        self._patience = patience
        self._whole: set[str] = set()

    def path(self, name: str) -> Path:
        """Where the net ``name`` lies, checked once a process against its SHA-256.

        Raises ``ModelError`` where it is missing or damaged.
        """
        path = self._place(self._files[name])
        if name not in self._whole:
            state = self._state(self._files[name])
            if state is not State.WHOLE:
                raise ModelError(f"the net is {state}", where=str(path), do=_GET_THEM)
            self._whole.add(name)
        return path

    def has(self, name: str) -> bool:
        """Whether the net ``name`` is here and whole."""
        return self._state(self._files[name]) is State.WHOLE

    def list(self) -> Sequence[Entry]:
        """Every file that the store could hold, with its state."""
        return [Entry(net, self._place(net), self._state(net)) for net in self._files.values()]

    def complete(self, names: Collection[str]) -> bool:
        """Whether all of the nets ``names`` that nothing can stand in for are here and whole."""
        return all(self.has(name) or self._files[name].optional for name in names)

    def verify(self, names: Collection[str]) -> None:
        """Raises ``ModelError`` naming each damaged net, and each of ``names`` that is missing and
        that nothing can stand in for."""
        bad = [
            f"{entry.net.file} is {entry.state}"
            for entry in self.list()
            if entry.state is State.DAMAGED
            or (entry.state is State.MISSING and entry.net.name in names and not entry.net.optional)
        ]
        if bad:
            raise ModelError(", ".join(bad), where=str(self.folder), do=_GET_THEM)

    def fetch(
        self, names: Collection[str], progress: Callable[[Progress], None] = lambda _: None
    ) -> Sequence[str]:
        """Gets each of the nets ``names`` that isn't here whole; what is here stays, so a broken
        run goes on.

        Gives a sentence for each optional net that could not be had. Raises ``ModelError`` where a
        required one could not, or the folder can't be written.
        """
        if all(map(self.has, names)):
            return ()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=self._patience):
                return self._fetch(names, progress)
        except Timeout as error:
            raise ModelError(
                "another process has been fetching the nets for too long",
                where=str(self.folder),
                do="end that process and try again",
            ) from error
        except OSError as error:
            raise ModelError(
                f"the nets can't be kept here ({error.strerror or error})",
                where=str(self.folder),
                do=f"free space, or set {ENVIRONMENT} to a folder that can be written",
            ) from error

    def _fetch(self, names: Collection[str], progress: Callable[[Progress], None]) -> Sequence[str]:
        missing = [net for net in self._files.values() if net.name in names]
        missing = [net for net in missing if not self.has(net.name)]
        edited = [(net, net.origin) for net in missing if isinstance(net.origin, Edited)]
        needed = {net.name for net in missing} | {origin.original for _, origin in edited}
        needed = {name for name in needed if not self.has(name)}
        wanted = [net for net in self._files.values() if net.name in needed]
        notes = self._download(wanted, progress)
        for net, origin in edited:
            if self.has(origin.original):
                self._edit(net, origin)
        for name in needed.difference(names):
            if not self._files[name].runs:
                self._whole.discard(name)
                self._place(self._files[name]).unlink(missing_ok=True)
        return notes

    def _download(
        self, nets: Sequence[NetFile], progress: Callable[[Progress], None]
    ) -> Sequence[str]:
        shipped = [net for net in nets if isinstance(net.origin, Shipped)]
        batches = [(package, list(nets)) for package, nets in groupby(shipped, key=_package)]
        total = sum(package.size for package, _ in batches)
        notes: list[str] = []
        before = 0
        for package, batch in batches:

            def report(done: int, package: Package = package, before: int = before) -> None:
                progress(Progress(str(package), before + min(done, package.size), total))

            try:
                self._take(package, batch, report)
            except ModelError as error:
                if not all(net.optional for net in batch):
                    raise
                names = ", ".join(net.name for net in batch)
                notes.append(f"doing without {names}: {error}")
            before += package.size
            progress(Progress(str(package), before, total))
        return tuple(notes)

    def _take(
        self, package: Package, nets: Sequence[NetFile], report: Callable[[int], None]
    ) -> None:
        members = {net.origin.member: net for net in nets if isinstance(net.origin, Shipped)}
        with tempfile.TemporaryDirectory(prefix="sidecar-nets-") as scratch:
            archive = download(package, Path(scratch), report)
            contents = read_members(archive, {path: net.size for path, net in members.items()})
        for path, net in members.items():
            self._keep(net, contents[path])

    def _edit(self, net: NetFile, origin: Edited) -> None:
        original = self.path(origin.original).read_bytes()
        content = origin.edit(original)
        origin.check(original, content)
        self._keep(net, content)

    def _keep(self, net: NetFile, content: bytes) -> None:
        """Write a file so that no reader sees half of it."""
        if hashlib.sha256(content).hexdigest() != net.sha256:
            raise ModelError(
                "has another SHA-256 than the net we know",
                where=net.file,
                do="check that your package mirror serves the original file",
            )
        partial = self.folder / f"{net.file}.part"
        partial.write_bytes(content)
        partial.replace(self._place(net))

    def _place(self, net: NetFile) -> Path:
        return self.folder / net.file

    def _state(self, net: NetFile) -> State:
        try:
            with self._place(net).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return State.MISSING
        return State.WHOLE if digest == net.sha256 else State.DAMAGED


def _default_folder() -> Path:
    try:
        if named := os.environ.get(ENVIRONMENT):
            return Path(named).expanduser()
        return platformdirs.user_cache_path("reaction-sidecar") / "models"
    except RuntimeError as error:
        raise ModelError(
            "this user has no home folder to keep the nets in",
            do=f"set {ENVIRONMENT} to a folder",
        ) from error


_GET_THEM = f"run `sidecar models fetch`, or set {ENVIRONMENT} to a folder with the nets"


def _package(net: NetFile) -> Package:
    assert isinstance(net.origin, Shipped)
    return net.origin.package
