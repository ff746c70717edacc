"""What is fuzzed: a source of inputs, and a function that must accept or refuse each of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from config.errors import SidecarError

Input = TypeVar("Input")


def as_bytes(value: object) -> bytes:
    """``value`` itself, or how Python writes it."""
    return value if isinstance(value, bytes) else repr(value).encode(errors="backslashreplace")


def refused(error: SidecarError) -> bool:
    """False, for a target's ``run`` to return; what users read must be one line."""
    assert str(error).strip()
    assert "\n" not in str(error)
    return False


@dataclass(frozen=True)
class FuzzTarget(Generic[Input]):
    """One thing to fuzz. Modules in ``tests.fuzz.targets`` list theirs in ``TARGETS``.

    All of it must be importable from a module: the target runs in a process of its own.
    """

    name: str
    inputs: Callable[[Random], Iterator[Input]]
    """Inputs without an end; the same for the same seed."""
    run: Callable[[Input], bool]
    """True where the input was accepted, False where it was refused as it should be. Anything that
    is raised is a fault."""
    megabytes: int = 64
    """Memory that the process may take beyond what it has before the first input."""
    seconds: float = 5.0
    """CPU time that one input may take."""
    show: Callable[[Input], bytes] = as_bytes
    """The input as it is kept in a file when it is a fault."""
