"""The control channel of a room's process: typed, versioned messages, one JSON object a frame.

A frame is its length (four bytes, big-endian) and a JSON object with a ``kind``. The supervisor
speaks first (``Begin``); calls are answered by ``Returned`` or ``Raised`` with the same number; all
else is sent as it happens. Either side ends itself when the channel is at its end, so that no room
outlives its supervisor.
"""

import asyncio
import struct
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, SecretStr, TypeAdapter, ValidationError

from config.errors import ControlError, SidecarError
from config.settings import Settings
from sidecar.supervisor.values import (
    ParticipantPatch,
    ReactionRequest,
    RoomPatch,
    RoomRequest,
    RoomState,
    RoomStats,
    Value,
)

VERSION: Final = 1
"""Of the messages; both sides are of the same installation, so that another one is an error."""
MAX_FRAME: Final = 8 * 2**20
"""Bytes: a preview of the composite is the largest."""
_LENGTH: Final = struct.Struct(">I")


class Begin(Value):
    """Join: the supervisor's first message."""

    kind: Literal["begin"] = "begin"
    version: int = VERSION
    room: str
    request: RoomRequest
    """Without secrets."""
    secrets: dict[str, str]
    """Plain: they are sent here instead of in the environment, which other programs can read."""
    settings: dict[str, Any]
    """The server's settings, as ``plain_settings`` makes them."""
    table: dict[str, Any]
    """The room's reaction table, one rule a label."""
    choices: dict[str, ParticipantPatch] = Field(default_factory=dict)
    """Of participants, in earlier lives of the room."""
    inference: str = ""
    """``DetectorShare.argument``; empty detects inside the process."""


class Call(Value):
    """A request to the room, answered with the same number."""

    kind: Literal["call"] = "call"
    number: int
    what: "Operation"


class ChangeRoom(Value):
    operation: Literal["change"] = "change"
    patch: RoomPatch


class ChangeTable(Value):
    """The reaction table is another, or a file of a sticker is."""

    operation: Literal["table"] = "table"
    table: dict[str, Any]
    """As in ``Begin``."""


class ChangeSampling(Value):
    """Sample all participants at this share of the room's rate."""

    operation: Literal["sampling"] = "sampling"
    factor: float


class ListParticipants(Value):
    operation: Literal["participants"] = "participants"


class ChangeParticipant(Value):
    operation: Literal["participant"] = "participant"
    participant: str
    patch: ParticipantPatch


class TakeChoices(Value):
    """Participants chose this meanwhile, present or not."""

    operation: Literal["choices"] = "choices"
    choices: dict[str, ParticipantPatch]


class TriggerReaction(Value):
    operation: Literal["react"] = "react"
    reaction: ReactionRequest


class TakePreview(Value):
    """Answered with the newest composite as JPEG in base64."""

    operation: Literal["preview"] = "preview"


class TakeSnapshots(Value):
    """Answered with the newest picture of each participant who has not opted out."""

    operation: Literal["snapshots"] = "snapshots"


class ListScores(Value):
    """Answered with the newest scores of participants who consent."""

    operation: Literal["scores"] = "scores"


class LeaveRoom(Value):
    """Leave the meeting and end the process."""

    operation: Literal["leave"] = "leave"


SessionOperation: TypeAlias = (
    ChangeRoom
    | ChangeSampling
    | ListParticipants
    | ChangeParticipant
    | TakeChoices
    | TriggerReaction
    | TakePreview
    | TakeSnapshots
    | ListScores
)
"""What can be asked of a room that has joined."""
Operation: TypeAlias = Annotated[
    SessionOperation | ChangeTable | LeaveRoom, Field(discriminator="operation")
]


class Returned(Value):
    """The answer to a call: plain JSON."""

    kind: Literal["returned"] = "returned"
    number: int
    result: Any = None


class Raised(Value):
    """A call failed; what, where and what to do."""

    kind: Literal["raised"] = "raised"
    number: int
    error: str
    """The class of the exception tree."""
    what: str
    where: str = ""
    do: str = ""


def raised_message(number: int, error: SidecarError) -> Raised:
    """The answer to call ``number``, which raised ``error``."""
    return Raised(
        number=number, error=type(error).__name__, what=error.what, where=error.where, do=error.do
    )


class StateReport(Value):
    """The room's state changed."""

    kind: Literal["state"] = "state"
    state: RoomState
    reason: str = ""
    final: bool = False
    """Restarting the process can't help: the meeting refused or ended."""
    restarted: bool = False
    """Another process runs for the room within this life, as a cluster starts one."""


class StatsReport(Value):
    """The room's numbers, once a second; the absence of reports means a process that hangs."""

    kind: Literal["stats"] = "stats"
    stats: RoomStats


class ChoicesReport(Value):
    """What was chosen for participants until now, by them and by operators; sent as it changes."""

    kind: Literal["choices"] = "choices"
    choices: dict[str, ParticipantPatch]


class EventReport(Value):
    """An event of the session, as ``sidecar.session.events.as_json`` makes it."""

    kind: Literal["event"] = "event"
    event: dict[str, Any]


Message: TypeAlias = Annotated[
    Begin | Call | Returned | Raised | StateReport | StatsReport | ChoicesReport | EventReport,
    Field(discriminator="kind"),
]
_MESSAGES: Final[TypeAdapter[Message]] = TypeAdapter(Message)


def encode_frame(message: Message) -> bytes:
    """One frame."""
    body = message.model_dump_json().encode()
    if len(body) > MAX_FRAME:
        raise ControlError(f"a message of {len(body)} bytes is too long", where="control channel")
    return _LENGTH.pack(len(body)) + body


def decode_frame(body: bytes) -> Message:
    """The message of a frame's body; raises ControlError for anything else."""
    try:
        return _MESSAGES.validate_json(body)
    except ValidationError as error:
        what = f"not a message of version {VERSION}: {error.error_count()} errors"
        raise ControlError(what, where="control channel") from None


async def read_message(reader: asyncio.StreamReader) -> Message | None:
    """The next message; None at the end of the channel. Raises ControlError."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME:
            raise ControlError(f"a frame of {length} bytes is too long", where="control channel")
        return decode_frame(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def plain_settings(settings: Settings) -> dict[str, Any]:
    """``settings`` as JSON that ``Settings`` reads again, secrets included."""
    return {name: _plain(section) for name, section in settings.model_dump(mode="python").items()}


def _plain(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {key: _plain(one) for key, one in value.items() if one is not None}
        case list() | tuple():
            return [_plain(one) for one in value]
        case Enum():
            return value.value
        case Path():
            return str(value)
        case _:
            return value
