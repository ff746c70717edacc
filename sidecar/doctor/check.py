"""The result of one check."""

from dataclasses import dataclass
from enum import StrEnum

from config.errors import SidecarError


class Verdict(StrEnum):
    """How a check went."""

    FINE = "ok"
    WORTH_KNOWING = "note"
    WRONG = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``do`` is what to do about it where it is not fine."""

    what: str
    verdict: Verdict
    found: str
    do: str = ""


def failed(what: str, error: SidecarError) -> Check:
    """A check that ``error`` ended."""
    where = ": ".join(filter(None, [error.where, error.what]))
    return Check(what, Verdict.WRONG, where, error.do)
