"""Checkpoints of a training: each written whole, so that a kill at any moment loses one epoch.

A checkpoint is written beside its place, flushed to the disk (fsync) and renamed; then the folder
is flushed as well. What is killed in between leaves the checkpoint before, and a file that the next
run removes.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from config.errors import ModelError
from reactions.training.array_errors import UNREADABLE_ARRAYS

PLAN: Final = "plan.json"
_PARTIAL: Final = ".partial"
_LOCK: Final = ".lock"
_Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class MemberState:
    """All that one perceptron needs to go on as if nothing had happened."""

    values: _Array
    first: _Array
    second: _Array
    """Weights, and the two moments of their slopes: (numbers,) each."""
    steps: int
    random: Mapping[str, Any]
    """State of the generator of random numbers."""
    losses: tuple[float, ...]
    """Mean loss of each epoch."""
    held_out: tuple[float, ...]
    """Share of hands that it may not see and names right, of each epoch."""

    @property
    def epochs(self) -> int:
        """Epochs that it has learnt from."""
        return len(self.losses)


class Checkpoints(Protocol):
    """Where a training keeps its members."""

    def load(self, member: int) -> MemberState | None:
        """The newest state of ``member``; None where there is none."""
        ...

    def save(self, member: int, state: MemberState) -> None:
        """Keep ``state`` in place of the one before; called by several threads."""
        ...


@contextmanager
def only_training(folder: Path) -> Iterator[None]:
    """While the block runs, no other training writes checkpoints in ``folder``.

    Raises ModelError where one does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        do = "wait for it to end, or name another folder"
        raise ModelError("another training works there", where=str(folder.parent), do=do) from error
    try:
        yield
    finally:
        lock.release()


class CheckpointFolder:
    """Keeps checkpoints in ``folder``, which belongs to one training alone.

    ``plan`` says what is trained, with what: a folder of another plan is refused by ModelError.
    ``saved`` is called with each state that is kept.
    """

    def __init__(
        self,
        folder: Path,
        plan: Mapping[str, Any],
        saved: Callable[[int, MemberState], None] = lambda member, state: None,
    ) -> None:
        self._folder = folder
        self._saved = saved
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"*{_PARTIAL}"):
            left.unlink()
        self._check(json.loads(json.dumps(plan)))

    def _check(self, plan: Mapping[str, Any]) -> None:
        file = self._folder / PLAN
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            write_whole(file, json.dumps(plan, indent=1).encode())
            return
        except ValueError as error:
            raise ModelError("is damaged", where=str(file), do="delete the folder") from error
        if before != plan:
            keys = [key for key in plan if plan[key] != before.get(key)]
            what = f"holds a training with another {', '.join(keys) or 'plan'}"
            raise ModelError(what, where=str(self._folder), do="name another folder, or delete it")

    def load(self, member: int) -> MemberState | None:
        """Raises ModelError where the file is damaged, which no kill does."""
        path = self._path(member)
        try:
            with path.open("rb") as file, np.load(file) as saved:
                kept = json.loads(str(saved["state"]))
                arrays = (saved["values"], saved["first"], saved["second"])
                return MemberState(
                    *arrays,
                    steps=kept["steps"],
                    random=kept["random"],
                    losses=tuple(kept["losses"]),
                    held_out=tuple(kept["held_out"]),
                )
        except FileNotFoundError:
            return None
        except UNREADABLE_ARRAYS as error:
            do = "delete it to train this part newly"
            raise ModelError("is no whole checkpoint", where=str(path), do=do) from error

    def save(self, member: int, state: MemberState) -> None:
        """Raises OSError, and leaves the checkpoint before, where the disk is full."""
        text = json.dumps(
            {
                "steps": state.steps,
                "random": state.random,
                "losses": state.losses,
                "held_out": state.held_out,
            }
        )
        with _Whole(self._path(member)) as file:
            np.savez(file, values=state.values, first=state.first, second=state.second, state=text)
        self._saved(member, state)

    def _path(self, member: int) -> Path:
        return self._folder / f"member-{member:02}.npz"


class _Whole:
    """A file to write to that takes its place whole, on the disk, or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + _PARTIAL)

    def __enter__(self) -> Any:
        self._file = self._partial.open("wb")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            with self._file:
                if kind is None:
                    self._file.flush()
                    os.fsync(self._file.fileno())
            if kind is None:
                self._partial.replace(self._path)
                _flush_folder(self._path.parent)
        finally:
            self._partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, whole and on the disk, or not at all; raises OSError."""
    with _Whole(path) as file:
        file.write(content)


def write_array(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write ``arrays`` to ``path`` as ``numpy.load`` reads them, likewise."""
    save: Any = np.savez  # Its types take no mapping of arrays.
    with _Whole(path) as file:
        save(file, **arrays)


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
