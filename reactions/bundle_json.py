"""Reads the JSON files of a bundle: bounded, checked, and refused in one line."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from config.errors import ModelError
from config.validation_errors import first_fault

T = TypeVar("T")


def read_bundle_json(adapter: TypeAdapter[T], path: Path, *, limit: int, do: str) -> T:
    """What ``path`` holds, of ``limit`` bytes at most; ``do`` is what to do where it is wrong.

    Raises ModelError that says in one line what is wrong.
    """
    try:
        with path.open("rb") as file:
            return adapter.validate_json(file.read(limit))
    except OSError as error:
        raise ModelError(f"can't be read: {error.strerror}", where=str(path), do=do) from error
    except ValidationError as error:
        raise ModelError(first_fault(error), where=str(path), do=do) from None
