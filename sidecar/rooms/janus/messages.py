"""What a Janus server says, read leniently: whatever is not understood is left out. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

MAX_BYTES: Final = 1 << 20
"""More than that in one message is nonsense."""
MAX_PEOPLE: Final = 1000
MAX_NAME: Final = 200
"""Characters; longer names are cut."""

Id: TypeAlias = int | str
"""Of rooms and people: numbers, or text where the server is set to ``string_ids``."""


@dataclass(frozen=True, slots=True)
class Person:
    """One row of ``listparticipants``."""

    id: Id
    display: str
    publishes: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """One media line that a subscriber is offered."""

    kind: str
    """video, audio or data."""
    mid: str
    active: bool
    codec: str
    description: str
    """What its publisher calls it."""


@dataclass(frozen=True, slots=True)
class Description:
    """A session description (Janus calls it JSEP)."""

    kind: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, with all that any of our requests may be answered by or any event may tell."""

    kind: str
    """ack, success, error, event, hangup, detached, timeout, trickle, server_info, …"""
    transaction: str = ""
    sender: int | None = None
    """The handle that it is about."""
    id: int | None = None
    """Of the session or handle just made."""
    code: int | None = None
    """Of an error, of the server's (from 403 on) or of the plugin's (from 421 on)."""
    reason: str = ""
    """Of an error, of a hang-up or for leaving."""
    about: str = ""
    """The plugin's word for the event: joined, attached, updated, participants, destroyed, …"""
    plugin: Mapping[str, object] = field(default_factory=dict)
    description: Description | None = None
    candidate: Mapping[str, object] = field(default_factory=dict)
    data_channels: bool = False
    version: int | None = None
    """Of the server, 1102 for 1.1.2."""

    @property
    def people(self) -> tuple[Person, ...]:
        """Whom a list of participants names."""
        return tuple(filter(None, map(_person, _rows(self.plugin.get("participants")))))

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What a subscriber is offered, or a publisher sends."""
        return tuple(filter(None, map(_stream, _rows(self.plugin.get("streams")))))


def parse(text: str | bytes) -> tuple[Message, ...]:
    """The messages in ``text``, one or (by long poll) several; those that make no sense left out.

    Never raises.
    """
    if len(text) > MAX_BYTES:
        return ()
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(_message(row) for row in (read if isinstance(read, list) else [read]) if _is(row))


def _is(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("janus"), str)


def _message(row: Mapping[str, object]) -> Message:
    plugin = _mapping(_mapping(row.get("plugindata")).get("data"))
    error = _mapping(row.get("error"))
    code = _integer(error.get("code")) or _integer(plugin.get("error_code"))
    return Message(
        kind=_text(row.get("janus")),
        transaction=_text(row.get("transaction")),
        sender=_integer(row.get("sender")),
        id=_integer(_mapping(row.get("data")).get("id")),
        code=code,
        reason=_text(error.get("reason") or plugin.get("error") or plugin.get("reason"))
        or _text(row.get("reason")),
        about=_text(plugin.get("videoroom")),
        plugin=plugin,
        description=_description(_mapping(row.get("jsep"))),
        candidate=_mapping(row.get("candidate")),
        data_channels=row.get("data_channels") is True,
        version=_integer(row.get("version")),
    )


def _description(jsep: Mapping[str, object]) -> Description | None:
    kind, sdp = jsep.get("type"), jsep.get("sdp")
    if kind in ("offer", "answer") and isinstance(sdp, str):
        return Description(str(kind), sdp)
    return None


def _person(row: Mapping[str, object]) -> Person | None:
    number = identity(row.get("id"))
    if number is None:
        return None
    # A dummy holds the place of somebody who sends nothing.
    publishes = row.get("publisher") is True and row.get("dummy") is not True
    return Person(number, _text(row.get("display"))[:MAX_NAME], publishes)


def _stream(row: Mapping[str, object]) -> Stream | None:
    kind, mid = row.get("type"), row.get("mid")
    if not isinstance(kind, str) or not isinstance(mid, str):
        return None
    return Stream(
        kind,
        mid,
        active=row.get("active") is not False and row.get("disabled") is not True,
        codec=_text(row.get("codec")),
        description=_text(row.get("feed_description") or row.get("description")),
    )


def identity(value: object) -> Id | None:
    """A room's or person's id; None for what can't be one."""
    if isinstance(value, str) and value:
        return value[:MAX_NAME]
    return _integer(value)


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(value, list):
        return ()
    return [row for row in value[:MAX_PEOPLE] if isinstance(row, dict)]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
