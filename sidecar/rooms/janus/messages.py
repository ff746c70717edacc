"""Messages to and from a Janus server, and the opt-out commands of its participants. Pure.

The server's JSON API and the VideoRoom plugin's requests and events are documented at
https://janus.conf.meetecho.com/docs/rest.html and https://janus.conf.meetecho.com/docs/videoroom.html.
Incoming messages are read leniently: a field that makes no sense is left out.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeAlias

from config.sensitivity import Sensitivity
from sidecar.media.sdp import DECODABLE
from sidecar.plain_text import clean_text, escape_controls
from sidecar.rooms.base import Consent
from sidecar.rooms.opt_out_commands import consent_command, sensitivity_command

MAX_BYTES: Final = 1 << 20
"""Of one text from the server; a longer one is dropped."""
MAX_ROWS: Final = 1000
"""Rows that are read of a list, such as the participants."""
MAX_NAME: Final = 200
"""Characters; longer names and ids are cut."""
MAX_CODEC: Final = 16
"""Characters of a codec's name."""
MAX_COMMAND_TEXT: Final = 4096
"""Characters; longer data messages are not searched for an opt-out command."""
PLUGIN: Final = "janus.plugin.videoroom"
COMPOSITE: Final = "reaction-sidecar composite"
"""The description of a sidecar's stream, by which sidecars exclude each other's composites."""

_COMMAND_BEHIND: Final = re.compile(
    r"^(.*?)\s*([!/]reactions\s+\w+)\s*$", re.IGNORECASE | re.DOTALL
)

JanusId: TypeAlias = int | str
"""Of a room or a participant: a number, or text where the server is set to ``string_ids``."""


class JanusErrorCode(IntEnum):
    """Of the server (``apierror.h``, below 421) and of the plugin (``janus_videoroom.c``)."""

    UNAUTHORIZED = 403
    UNAUTHORIZED_PLUGIN = 405
    NO_SUCH_SESSION = 458
    NO_SUCH_PLUGIN = 460
    NO_SUCH_ROOM = 426
    NO_SUCH_FEED = 428
    MISSING_ELEMENT = 429
    INVALID_ELEMENT = 430
    PUBLISHERS_FULL = 432
    UNAUTHORIZED_ROOM = 433


@dataclass(frozen=True, slots=True)
class JanusParticipant:
    """One row of ``listparticipants``."""

    id: JanusId
    """As it has to be sent to the server."""
    display: str
    publishes: bool

    @property
    def key(self) -> str:
        """The id as it may be shown; different ones stay different."""
        return escape_controls(str(self.id))


@dataclass(frozen=True, slots=True)
class JanusStream:
    """One media section that a subscriber is offered, or that a publisher sends."""

    kind: str
    """video, audio or data."""
    mid: str
    active: bool
    codec: str
    description: str
    """Its publisher's, such as ``COMPOSITE``."""

    @property
    def problem(self) -> str:
        """Why it can't be decoded here; empty where it can, or where its codec isn't known."""
        if not self.codec or self.codec.upper() in DECODABLE:
            return ""
        return (
            f"their camera is sent as {self.codec.upper()}, which can't be decoded here: "
            'set videocodec = "vp8" or "h264" for the room'
        )


@dataclass(frozen=True, slots=True)
class JanusLayer:
    """What the server sends of a camera."""

    substream: int = 0
    """Of a simulcast camera, from 0, the smallest, to 2."""
    temporal: int = 2
    """The temporal layer, from 0, the lowest frame rate, to 2."""
    send: bool = True


@dataclass(frozen=True, slots=True)
class Jsep:
    """A session description, under the name that Janus has for it."""

    kind: str
    """offer or answer."""
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class JanusMessage:
    """One message of the server, with every field that one of our requests or handlers needs."""

    kind: str
    """ack, success, error, event, hangup, detached, timeout, trickle, server_info, …"""
    transaction: str = ""
    """Of the request that it answers."""
    sender: int | None = None
    """The handle that it is about."""
    id: int | None = None
    """Of the session or handle just created."""
    code: int | None = None
    """A ``JanusErrorCode``, or another number."""
    reason: str = ""
    """Of an error, of a hang-up or of leaving."""
    event: str = ""
    """The plugin's: joined, attached, updated, participants, destroyed, …"""
    plugin: Mapping[str, object] = field(default_factory=dict)
    """The plugin's own fields."""
    jsep: Jsep | None = None
    candidate: Mapping[str, object] = field(default_factory=dict)
    """Of a trickle message: the fields of an ``RTCIceCandidateInit``."""
    data_channels: bool = False
    """Whether the server was built with data channels."""
    version: int | None = None
    """Of the server: 1102 for 1.1.2."""

    @property
    def participants(self) -> tuple[JanusParticipant, ...]:
        """The rows of a list of participants."""
        return tuple(filter(None, map(_participant, _rows(self.plugin.get("participants")))))

    @property
    def streams(self) -> tuple[JanusStream, ...]:
        """The streams that a subscriber is offered, or that a publisher sends."""
        return tuple(filter(None, map(_stream, _rows(self.plugin.get("streams")))))

    def cameras(self, mid: str = "") -> tuple[JanusStream, ...]:
        """The streams with active video: all, or that of the media section ``mid``."""
        return tuple(
            stream
            for stream in self.streams
            if stream.kind == "video" and stream.active and mid in ("", stream.mid)
        )


@dataclass(frozen=True, slots=True)
class VideoRoomRequests:
    """The bodies of requests to the plugin, for one room."""

    room: JanusId
    pin: str = field(default="", repr=False)

    def list_participants(self) -> dict[str, object]:
        """Answered to handles that have not joined, too."""
        return {"request": "listparticipants", "room": self.room}

    def join_publisher(self, display: str) -> dict[str, object]:
        """Become a participant."""
        return self._join("publisher", display=display)

    def join_subscriber(self, feed: JanusId, private_id: int | None = None) -> dict[str, object]:
        """Ask for an offer of one participant's streams, in the smallest simulcast layer."""
        streams = [{"feed": feed, "substream": 0}]
        if private_id is None:
            return self._join("subscriber", streams=streams)
        return self._join("subscriber", streams=streams, private_id=private_id)

    def publish(self, mid: str) -> dict[str, object]:
        """Publish what the JSEP beside it offers; its media section ``mid`` is a composite."""
        return {"request": "publish", "descriptions": [{"mid": mid, "description": COMPOSITE}]}

    def start(self) -> dict[str, object]:
        """Begin to receive; the JSEP beside it answers the offer."""
        return {"request": "start"}

    def configure(self, mid: str, layer: JanusLayer) -> dict[str, object]:
        """Change what is received in the media section ``mid``."""
        stream = {
            "mid": mid,
            "send": layer.send,
            "substream": layer.substream,
            "temporal": layer.temporal,
        }
        return {"request": "configure", "streams": [stream]}

    def _join(self, role: str, **fields: object) -> dict[str, object]:
        body: dict[str, object] = {"request": "join", "ptype": role, "room": self.room, **fields}
        return body | {"pin": self.pin} if self.pin else body


def parse_messages(text: str | bytes) -> tuple[JanusMessage, ...]:
    """The messages in ``text``: one, or several of a long poll. Never raises."""
    if len(text) > MAX_BYTES:
        return ()
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    rows = read if isinstance(read, list) else [read]
    return tuple(_message(row) for row in rows if _is_message(row))


def janus_id(value: object) -> JanusId | None:
    """The id of a room or participant; None for what can't be one."""
    if isinstance(value, str) and value:
        return value[:MAX_NAME]
    return _integer(value)


def consent_in_data(text: str) -> Consent | None:
    """What a data message asks for; None where it is no command.

    VideoRooms have no chat. Clients that offer one send it over the publisher's data channel, as
    plain text or in a field of a JSON object.
    """
    choices = map(consent_command, _texts(text))
    return next((choice for choice in choices if choice is not None), None)


def sensitivity_in_data(text: str) -> Sensitivity | None:
    """What sensitivity a data message asks for; as ``consent_in_data``."""
    choices = map(sensitivity_command, _texts(text))
    return next((choice for choice in choices if choice is not None), None)


def _texts(text: str) -> Iterator[str]:
    """``text``, and the texts that are fields of it where it is a JSON object."""
    if len(text) > MAX_COMMAND_TEXT:
        return
    yield text
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return
    values = fields.values() if isinstance(fields, dict) else ()
    yield from (value for value in values if isinstance(value, str))


def split_display(display: str) -> tuple[str, Consent | None]:
    """The name in ``display``, and what a command behind it asks for: ``Ada !reactions off``."""
    match = _COMMAND_BEHIND.match(display)
    choice = None if match is None else consent_command(match[2])
    if match is None or choice is None:
        return display, None
    return match[1], choice


def _is_message(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("janus"), str)


def _message(row: Mapping[str, object]) -> JanusMessage:
    plugin = _mapping(_mapping(row.get("plugindata")).get("data"))
    error = _mapping(row.get("error"))
    code = _integer(error.get("code")) or _integer(plugin.get("error_code"))
    return JanusMessage(
        kind=_text(row.get("janus")),
        transaction=_text(row.get("transaction")),
        sender=_integer(row.get("sender")),
        id=_integer(_mapping(row.get("data")).get("id")),
        code=code,
        reason=clean_text(
            _text(error.get("reason") or plugin.get("error") or plugin.get("reason"))
            or _text(row.get("reason"))
        ),
        event=_text(plugin.get("videoroom")),
        plugin=plugin,
        jsep=_jsep(_mapping(row.get("jsep"))),
        candidate=_mapping(row.get("candidate")),
        data_channels=row.get("data_channels") is True,
        version=_integer(row.get("version")),
    )


def _jsep(fields: Mapping[str, object]) -> Jsep | None:
    kind, sdp = fields.get("type"), fields.get("sdp")
    if kind in ("offer", "answer") and isinstance(sdp, str):
        return Jsep(str(kind), sdp)
    return None


def _participant(row: Mapping[str, object]) -> JanusParticipant | None:
    number = janus_id(row.get("id"))
    if number is None:
        return None
    # A dummy publisher has a place in the room and sends nothing.
    publishes = row.get("publisher") is True and row.get("dummy") is not True
    return JanusParticipant(number, clean_text(_text(row.get("display")), MAX_NAME), publishes)


def _stream(row: Mapping[str, object]) -> JanusStream | None:
    kind, mid = row.get("type"), row.get("mid")
    if not isinstance(kind, str) or not isinstance(mid, str):
        return None
    return JanusStream(
        kind,
        mid,
        active=row.get("active") is not False and row.get("disabled") is not True,
        codec=clean_text(_text(row.get("codec")), MAX_CODEC),
        description=_text(row.get("feed_description") or row.get("description")),
    )


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(value, list):
        return ()
    return [row for row in value[:MAX_ROWS] if isinstance(row, dict)]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
