"""Runs targets one after another, each in a process of its own, and keeps the inputs that fail."""

import hashlib
import importlib
import multiprocessing
import pkgutil
import tempfile
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from tests.fuzz import targets
from tests.fuzz.target import FuzzTarget
from tests.fuzz.worker import FuzzCount, run_worker

FOUND: Final = Path("out/fuzz")
"""Where inputs that are faults are kept."""
_KEPT: Final = 10
"""Faults of one target that are printed and kept; the others are counted."""


def all_targets() -> Iterator[FuzzTarget[Any]]:
    """What the modules in ``tests.fuzz.targets`` list in ``TARGETS``."""
    for module in pkgutil.iter_modules(targets.__path__):
        yield from importlib.import_module(f"{targets.__name__}.{module.name}").TARGETS


def run_targets(
    chosen: Iterable[FuzzTarget[Any]], *, seed: int, seconds: float, most: int
) -> Iterator[FuzzCount]:
    """Run each of ``chosen`` for ``seconds`` or ``most`` inputs; faults are printed and kept."""
    for target in chosen:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            yield _run_target(target, Path(folder) / "current", seed, seconds, most)


def _run_target(
    target: FuzzTarget[Any], current: Path, seed: int, seconds: float, most: int
) -> FuzzCount:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    arguments = (target, theirs, current, seed, seconds, most)
    child = context.Process(target=run_worker, args=arguments)
    child.start()
    theirs.close()
    try:
        return _follow(target, ours, seconds)
    except EOFError:
        child.join(10)
        data = current.read_bytes() if current.exists() else b""
        _keep(target.name, f"ended its process with status {child.exitcode}", data)
        return FuzzCount(target.name, faults=1)
    finally:
        child.kill()
        child.join()


def _follow(target: FuzzTarget[Any], pipe: Connection, seconds: float) -> FuzzCount:
    """What the process of ``target`` says until it is done; EOFError where it dies, or hangs."""
    found: set[str] = set()
    while pipe.poll(seconds * 4 + 120):
        said = pipe.recv()
        if isinstance(said, FuzzCount):
            return said
        reason, data = said
        if reason not in found and len(found) < _KEPT:
            found.add(reason)
            _keep(target.name, reason, data)
    raise EOFError


def _keep(name: str, reason: str, data: bytes) -> None:
    FOUND.mkdir(parents=True, exist_ok=True)
    path = FOUND / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    print(f"fuzz: {name}: {reason}: {path}", flush=True)
