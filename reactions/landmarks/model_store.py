"""The models on this machine: their folder, their verification and their download."""

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
from reactions.landmarks.model_manifest import FILES, Edited, ModelFile, Package, Shipped
from reactions.landmarks.package_archive import read_members
from reactions.landmarks.package_download import TIME_LIMIT, download

ENVIRONMENT = "SIDECAR_MODELS"
"""Names a folder to use in place of the platform's cache folder, such as one filled offline."""


class State(StrEnum):
    """How a file of the store is."""

    VERIFIED = "verified"
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

    model: ModelFile
    path: Path
    state: State


class ModelStore:
    """A folder of models, each pinned by its SHA-256."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        files: Mapping[str, ModelFile] = FILES,
        patience: float = 2 * TIME_LIMIT,
    ) -> None:
        """``folder`` defaults to ``$SIDECAR_MODELS``, else to the platform's cache folder.

        ``patience`` is how many seconds a fetch waits for another process that fetches. Raises
        ``ModelError`` where a default is wanted and this user has no home.
        """
        self.folder = folder or _default_folder()
        self._files = files
        self._patience = patience
        self._verified: set[str] = set()

    def path(self, name: str) -> Path:
        """Where the model ``name`` lies, checked once a process against its SHA-256.

        Raises ``ModelError`` where it is missing or damaged.
        """
        path = self._place(self._files[name])
        if name not in self._verified:
            state = self._state(self._files[name])
            if state is not State.VERIFIED:
                raise ModelError(f"the model is {state}", where=str(path), do=_GET_THEM)
            self._verified.add(name)
        return path

    def has(self, name: str) -> bool:
        """Whether the model ``name`` is here and has its SHA-256."""
        return self._state(self._files[name]) is State.VERIFIED

    def list(self) -> Sequence[Entry]:
        """Every file that the store could hold, with its state."""
        return [
            Entry(model, self._place(model), self._state(model)) for model in self._files.values()
        ]

    def complete(self, names: Collection[str]) -> bool:
        """Whether all of the models ``names`` but the optional ones are here and verified."""
        return all(self.has(name) or self._files[name].optional for name in names)

    def verify(self, names: Collection[str]) -> None:
        """Raise ModelError with the name of each damaged model, and of each of ``names`` that is
        missing and not optional."""
        bad = [
            f"{entry.model.file} is {entry.state}"
            for entry in self.list()
            if entry.state is State.DAMAGED
            or (
                entry.state is State.MISSING
                and entry.model.name in names
                and not entry.model.optional
            )
        ]
        if bad:
            raise ModelError(", ".join(bad), where=str(self.folder), do=_GET_THEM)

    def fetch(
        self, names: Collection[str], progress: Callable[[Progress], None] = lambda _: None
    ) -> Sequence[str]:
        """Fetch each of the models ``names`` that is missing or damaged. The others stay, so
        that an interrupted fetch can continue.

        Return one sentence for each optional model that could not be fetched. Raises ModelError
        where a required one could not, or the folder can't be written.
        """
        if all(map(self.has, names)):
            return ()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=self._patience):
                return self._fetch(names, progress)
        except Timeout as error:
            raise ModelError(
                "another process has been fetching the models for too long",
                where=str(self.folder),
                do="end that process and try again",
            ) from error
        except OSError as error:
            raise ModelError(
                f"the models can't be kept here ({error.strerror or error})",
                where=str(self.folder),
                do=f"free space, or set {ENVIRONMENT} to a folder that can be written",
            ) from error

    def _fetch(self, names: Collection[str], progress: Callable[[Progress], None]) -> Sequence[str]:
        missing = [model for model in self._files.values() if model.name in names]
        missing = [model for model in missing if not self.has(model.name)]
        edited = [(model, model.origin) for model in missing if isinstance(model.origin, Edited)]
        needed = {model.name for model in missing} | {origin.original for _, origin in edited}
        needed = {name for name in needed if not self.has(name)}
        wanted = [model for model in self._files.values() if model.name in needed]
        notes = self._download(wanted, progress)
        for model, origin in edited:
            if self.has(origin.original):
                self._edit(model, origin)
        for name in needed.difference(names):
            if not self._files[name].runs:
                self._verified.discard(name)
                self._place(self._files[name]).unlink(missing_ok=True)
        return notes

    def _download(
        self, models: Sequence[ModelFile], progress: Callable[[Progress], None]
    ) -> Sequence[str]:
        shipped = [model for model in models if isinstance(model.origin, Shipped)]
        batches = [(package, list(models)) for package, models in groupby(shipped, key=_package)]
        total = sum(package.size for package, _ in batches)
        notes: list[str] = []
        before = 0
        for package, batch in batches:

            def report(done: int, package: Package = package, before: int = before) -> None:
                progress(Progress(str(package), before + min(done, package.size), total))

            try:
                self._take(package, batch, report)
            except ModelError as error:
                if not all(model.optional for model in batch):
                    raise
                names = ", ".join(model.name for model in batch)
                off = "".join(f"; {what} is off" for what in _switched_off(batch))
                notes.append(f"doing without {names}{off}: {error}")
            before += package.size
            progress(Progress(str(package), before, total))
        return tuple(notes)

    def _take(
        self, package: Package, models: Sequence[ModelFile], report: Callable[[int], None]
    ) -> None:
        members = {
            model.origin.member: model for model in models if isinstance(model.origin, Shipped)
        }
        with tempfile.TemporaryDirectory(prefix="sidecar-models-") as scratch:
            archive = download(package, Path(scratch), report)
            contents = read_members(archive, {path: model.size for path, model in members.items()})
        for path, model in members.items():
            self._keep(model, contents[path])

    def _edit(self, model: ModelFile, origin: Edited) -> None:
        original = self.path(origin.original).read_bytes()
        content = origin.edit(original)
        origin.check(original, content)
        self._keep(model, content)

    def _keep(self, model: ModelFile, content: bytes) -> None:
        """Write a file so that no reader sees half of it."""
        if hashlib.sha256(content).hexdigest() != model.sha256:
            raise ModelError(
                "has another SHA-256 than the model we know",
                where=model.file,
                do="check that your package mirror serves the original file",
            )
        partial = self.folder / f"{model.file}.part"
        partial.write_bytes(content)
        partial.replace(self._place(model))

    def _place(self, model: ModelFile) -> Path:
        return self.folder / model.file

    def _state(self, model: ModelFile) -> State:
        try:
            with self._place(model).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return State.MISSING
        return State.VERIFIED if digest == model.sha256 else State.DAMAGED


def _default_folder() -> Path:
    try:
        if named := os.environ.get(ENVIRONMENT):
            return Path(named).expanduser()
        return platformdirs.user_cache_path("reaction-sidecar") / "models"
    except RuntimeError as error:
        raise ModelError(
            "this user has no home folder to keep the models in",
            do=f"set {ENVIRONMENT} to a folder",
        ) from error


_GET_THEM = f"run `sidecar models fetch`, or set {ENVIRONMENT} to a folder with the models"


def _switched_off(models: Sequence[ModelFile]) -> Sequence[str]:
    """The labels that are off without ``models``, each once."""
    return tuple(dict.fromkeys(model.without for model in models if model.without))


def _package(model: ModelFile) -> Package:
    assert isinstance(model.origin, Shipped)
    return model.origin.package
