"""Names and headers of WHIP and WHEP sessions. Pure: text in, text out."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from config.errors import SignallingError

MAX_NAME: Final = 40
"""Characters of a display name; longer ones are cut."""
_ROOM: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
_QUOTED: Final = re.compile(r'(["\\])')


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server that clients are told of, and that we use too."""

    url: str
    username: str | None = None
    credential: str | None = None

    def __repr__(self) -> str:
        return f"IceServer({self.url!r})"

    def link(self) -> str:
        """The value of a ``Link`` header, as RFC 9725 §4.6 wants it."""
        fields = [f"<{self.url}>", 'rel="ice-server"']
        if self.username is not None and self.credential is not None:
            fields.append(f"username={_quoted(self.username)}")
            fields.append(f"credential={_quoted(self.credential)}")
            fields.append('credential-type="password"')
        return "; ".join(fields)


def _quoted(text: str) -> str:
    escaped = _QUOTED.sub(r"\\\1", text)
    return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Answer:
    """What a POST is answered with, next to status 201.

    ``token`` is the session's unguessable name: whoever knows it may end the session.
    """

    sdp: str
    token: str
    etag: str
    participant: str


@dataclass(frozen=True, slots=True)
class Present:
    """A participant as other sidecars are told of them."""

    participant: str
    name: str
    opted_out: bool
    """Their camera is not to be watched."""


def room_name(text: str) -> str:
    """``text`` if it can name a room: 1–64 letters, digits, ``-`` and ``_``, no sign at an end.

    Raises SignallingError 404: such a room can't exist.
    """
    if not _ROOM.fullmatch(text):
        raise SignallingError(
            "no such room", status=404, do="a room's name is 1–64 letters, digits, - and _"
        )
    return text


def display_name(text: str | None) -> str:
    """A participant's name as everybody sees it: printable, one line, at most 40 characters.

    Control, private and direction-changing characters go, and spaces are collapsed; nothing left
    makes a "guest".
    """
    normal = unicodedata.normalize("NFC", text or "")
    spaced = (" " if char.isspace() else char for char in normal)
    kept = "".join(char for char in spaced if unicodedata.category(char)[0] != "C")
    return " ".join(kept.split())[:MAX_NAME].strip() or "guest"
