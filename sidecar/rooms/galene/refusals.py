"""Why a group won't have us, and what to do about it. Pure.

Galène names few reasons by a stable id; for the others there is the text that people read.
"""

from collections.abc import Mapping
from typing import Final

from sidecar.rooms.galene import messages
from sidecar.rooms.galene.credentials import Credentials
from sidecar.rooms.galene.events import Refused
from sidecar.rooms.galene.messages import Message

_TRANSIENT: Final = frozenset({"internal server error", "too many users", "too many clients"})
_HINTS: Final[Mapping[str, str]] = {
    "need-username": "the group wants a name: set GALENE_USERNAME or --as",
    "username required": "the group wants a name: set GALENE_USERNAME or --as",
    "duplicate-username": "the name belongs to somebody else: choose another with --as",
    "group does not exist": "check the group's name in the address",
}


def not_let_in(message: Message, credentials: Credentials) -> Refused:
    """What a ``joined`` message of kind ``fail`` means."""
    reason, text = messages.line(message, "error"), messages.line(message, "value")
    what = f"the group did not let us in: {text or reason or 'no reason given'}"
    if text in _TRANSIENT:
        return Refused(what, do="try again later", final=False)
    if "not-authorised" in (reason, text.replace(" ", "-")):
        return Refused(what, do=_how_to_prove(credentials))
    # Whatever else is the operator's own message, such as why the group is locked.
    return Refused(what, do=_HINTS.get(reason) or _HINTS.get(text, "ask the group's operator"))


def kicked(message: Message) -> Refused:
    """What being put out means: by a person it is final, by the server's own going down not."""
    text = messages.line(message, "value") or "no reason given"
    by = messages.line(message, "username")
    final = bool(messages.identifier(message))
    what = f"put out of the group{f' by {by}' if by else ''}: {text}"
    return Refused(what, do="ask the group's operator" if final else "", final=final)


def _how_to_prove(credentials: Credentials) -> str:
    if credentials.token:
        return "the token is wrong, spent or of another group: ask for a new invitation"
    if credentials.password:
        return "check GALENE_USERNAME and GALENE_PASSWORD"
    return "set GALENE_USERNAME and GALENE_PASSWORD, or paste an invitation link"
