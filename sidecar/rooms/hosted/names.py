"""Names and headers of WHIP and WHEP sessions. Pure: text in, text out."""

import re
from dataclasses import dataclass
from typing import Final

from config.errors import HttpRefusalError
from sidecar.plain_text import clean_text

MAX_NAME: Final = 40
"""Characters of a display name; longer ones are cut."""
_ROOM: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class HostedAnswer:
    """What a POST is answered with, next to status 201.

    ``token`` is the session's unguessable name: a client that knows it may end the session.
    """

    sdp: str
    token: str
    etag: str
    participant: str


@dataclass(frozen=True, slots=True)
class Present:
    """A participant as other sidecars see them."""

    participant: str
    name: str
    opted_out: bool
    """Their camera is not to be watched."""


def room_name(text: str) -> str:
    """``text`` if it can name a room: 1–64 letters, digits, ``-`` and ``_``, no sign at an end.

    Raises HttpRefusalError 404: such a room can't exist.
    """
    if not _ROOM.fullmatch(text):
        raise HttpRefusalError(
            "no such room", status=404, do="a room's name is 1–64 letters, digits, - and _"
        )
    return text


def display_name(text: str | None) -> str:
    """A participant's name as all participants see it: printable, one line, at most 40 characters.

    Control, private and direction-changing characters go, and spaces are collapsed; nothing left
    makes a "guest".
    """
    return clean_text(text or "", MAX_NAME) or "guest"
