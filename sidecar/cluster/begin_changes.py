"""How a room is wanted after changes: what an actor that was started again has to catch up with.

An actor that Ray starts again begins with the arguments that it was made with. Server and actor
keep the first message as later operations changed it, and compare the two. Pure.
"""

from collections.abc import Sequence
from typing import Final

from sidecar.supervisor.control import Begin, ChangeRoom, ChangeTable, Operation, TakeChoices
from sidecar.supervisor.values import RoomPatch, changed_request

CHANGEABLE: Final = ("labels", "layout", "rate", "consent", "sensitivity", "paused")
"""Fields of a request that a running room can change."""


def changed_begin(begin: Begin, operation: Operation) -> Begin:
    """``begin`` of a room in which ``operation`` was carried out."""
    match operation:
        case ChangeRoom():
            request = changed_request(begin.request, operation.patch)
            return begin.model_copy(update={"request": request})
        case ChangeTable():
            return begin.model_copy(update={"table": operation.table})
        case TakeChoices():
            return begin.model_copy(update={"choices": operation.choices})
        case _:
            return begin


def operations_between(now: Begin, wanted: Begin) -> Sequence[Operation] | None:
    """What makes a running room of ``now`` one of ``wanted``; None where it must join again."""
    fields = {name: getattr(wanted.request, name) for name in CHANGEABLE}
    request = now.request.model_copy(update=fields)
    same = {"request": request, "table": wanted.table, "choices": wanted.choices}
    if now.model_copy(update=same) != wanted:
        return None
    changed = {name: value for name, value in fields.items() if value != getattr(now.request, name)}
    if None in changed.values():
        return None
    operations = list[Operation]()
    if now.table != wanted.table:
        operations.append(ChangeTable(table=wanted.table))
    if changed:
        operations.append(ChangeRoom(patch=RoomPatch(**changed)))
    if now.choices != wanted.choices:
        operations.append(TakeChoices(choices=wanted.choices))
    return operations
