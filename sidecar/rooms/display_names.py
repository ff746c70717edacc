"""Display names: cleaned, made up where a meeting gives none, and made distinct. Pure."""

from collections.abc import Iterable

from sidecar.rooms.hosted.names import display_name

__all__ = ["display_name", "distinct"]


def distinct(names: Iterable[str]) -> list[str]:
    """``names`` with a number behind those that came before: ``door``, ``door 2``."""
    taken: set[str] = set()
    result = []
    for name in names:
        choice, number = name, 2
        while choice in taken:
            choice, number = f"{name} {number}", number + 1
        taken.add(choice)
        result.append(choice)
    return result
