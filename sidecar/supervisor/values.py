"""Values of rooms, which cross the border of a room's process and which the API takes and returns.

All are frozen pydantic models: the control channel, the journal and the OpenAPI document are made
from them, so that there is one description of each.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from config.sensitivity import Sensitivity

MAX_URL = 2048
"""Characters of a meeting's URL, as most servers and proxies limit them."""


class Value(BaseModel):
    """What all have in common: frozen, and no other keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class RoomState(StrEnum):
    """Where a room is in its life."""

    JOINING = "joining"
    LIVE = "live"
    REJOINING = "rejoining"
    PAUSED = "paused"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """No process runs for the room any more."""
        return self in {RoomState.ENDED, RoomState.FAILED}


ConsentMode: TypeAlias = Literal["all", "opt-in"]
Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=74, pattern=r"^[a-z0-9_]+$")]
Rate: TypeAlias = Annotated[float, Field(gt=0, le=30, strict=True)]
Flag: TypeAlias = Annotated[bool, Field(strict=True)]
"""No number or text: the OpenAPI document says boolean."""
SecretName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
PublishTarget: TypeAlias = Annotated[
    str, Field(max_length=MAX_URL, pattern=r"^(room|none|whip\+https?://[!-~]+)$")
]


def _number(value: Any) -> Any:
    """Refuse texts and booleans for a number; 320.0 is an integer in JSON Schema."""
    if isinstance(value, str | bool):
        raise ValueError("should be a number")
    return value


NUMBER = BeforeValidator(_number)


ClientSink: TypeAlias = Annotated[
    str, Field(max_length=MAX_URL, pattern=r"^eyeson(\+https)?:[!-~]*$")
]


class RoomLayout(Value):
    """How the composite is arranged; what is not given follows the server's settings."""

    width: Annotated[int, Field(ge=320, le=4096, multiple_of=2), NUMBER] | None = None
    """Pixels."""
    height: Annotated[int, Field(ge=180, le=4096, multiple_of=2), NUMBER] | None = None
    """Pixels."""
    fps: Annotated[int, Field(ge=1, le=60), NUMBER] | None = None
    """Frames a second."""
    fit: Literal["letterbox", "cover"] | None = None
    spotlight: Annotated[str, Field(max_length=64)] | None = None
    """Name of a participant who gets a large tile; empty for none."""


EventKind: TypeAlias = Literal[
    "participant.joined",
    "participant.left",
    "reaction.progress",
    "reaction.started",
    "reaction.ended",
    "reaction.crowd",
    "room.state",
]


class WebhookRequest(Value):
    """An HTTP server that gets what happens in a room, signed."""

    url: Annotated[str, Field(max_length=MAX_URL, pattern=r'^https?://[!-"$-.0->@-~]+[!-~]*$')]
    """At a public address, unless the server allows others."""
    secret: SecretName = "WEBHOOK_SECRET"  # noqa: S105
    """Which of the room's ``secrets`` signs the deliveries: 16 bytes or more."""
    events: Annotated[tuple[EventKind, ...], Field(min_length=1, max_length=6)] | None = None
    """Kinds that are sent; all but ``reaction.progress`` if not given."""


class RoomRequest(Value):
    """A room that is wanted."""

    url: Annotated[str, Field(min_length=1, max_length=MAX_URL)]
    """The meeting's URL: LiveKit, Janus, Galène, WHEP, RTSP or another sidecar; or ``room:NAME``
    for a room that this server hosts at ``/rooms/NAME``."""
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Display name of the sidecar in the meeting."""
    publish: Annotated[tuple[PublishTarget, ...], Field(min_length=1, max_length=4)] = ("room",)
    """Where the composite goes."""
    labels: Annotated[tuple[Label, ...], Field(min_length=1, max_length=128)] | None = None
    """Labels to recognise; all that the reaction table has on if not given."""
    layout: RoomLayout | None = None
    rate: Rate | None = None
    """Samples a second of each participant."""
    consent: ConsentMode | None = None
    """``opt-in`` samples no participant before they agree."""
    sensitivity: Sensitivity | None = None
    """How easily reactions start, for participants who choose nothing else."""
    paused: Flag = False
    """Join, and sample no participant before a change says so."""
    secrets: Annotated[
        dict[SecretName, SecretStr],
        Field(max_length=32, json_schema_extra={"additionalProperties": False}),
    ] = {}
    """Keys, tokens and passwords of the meeting by the names of its adapter's documentation.

    ``env:NAME`` and ``file:/PATH`` name one that the server holds; those survive a restart of the
    supervisor without being stored."""
    sinks: Annotated[tuple[ClientSink, ...], Field(max_length=4)] = ()
    """Further event sinks; their keys are in ``secrets`` (docs/sinks.md)."""
    webhooks: Annotated[tuple[WebhookRequest, ...], Field(max_length=4)] = ()
    """What happens in the room goes there, in order and at least once."""
    idempotency_key: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """A second request with the same key answers the same room."""


class RoomPatch(Value):
    """Changes of a running room; what is not given stays."""

    labels: Annotated[tuple[Label, ...], Field(min_length=1, max_length=128)] | None = None
    layout: RoomLayout | None = None
    rate: Rate | None = None
    consent: ConsentMode | None = None
    sensitivity: Sensitivity | None = None
    paused: Flag | None = None
    """A paused room stays joined, samples no participant and starts no reaction."""


def changed_request(request: RoomRequest, patch: RoomPatch) -> RoomRequest:
    """How a room is wanted after ``patch``; of a layout, what is not given stays as well."""
    changed = patch.model_dump(exclude_none=True)
    if request.layout is not None and "layout" in changed:
        changed["layout"] = request.layout.model_dump(exclude_none=True) | changed["layout"]
    return RoomRequest.model_validate(request.model_dump() | changed)


class RoomView(Value):
    """A room as the API shows it; never with secrets."""

    id: str
    url: str
    """Without user names, passwords, tokens and keys."""
    name: str | None
    state: RoomState
    pid: int | None
    """Of the room's process, which for a hosted room is the server's; None while there is none."""
    participants: int
    """With a camera, at this moment."""
    viewers: int = 0
    """Of the composite."""
    load: float = 0.0
    """Share of the cores for rooms that this one uses or has reserved."""
    sensitivity: Sensitivity | None = None
    """The room's own, for participants who choose nothing else; None: as the server is set."""
    sample_age: float | None = None
    """Seconds; of the participant whose newest sample is the oldest."""
    median_sample_age: float | None = None
    """Seconds; half of the participants have a newer sample."""
    reactions: dict[str, int] = {}
    """Reactions started in the last five minutes, by label."""
    restarts: int
    """Of the room's process since the room was made."""
    reason: str
    """Why the room is rejoining, ended or failed; empty otherwise."""
    created: datetime
    since: datetime
    """When the state began."""


class CreatedRoom(RoomView):
    """A room that was made."""

    token: str | None = None
    """Of a hosted room: lets participants in. It is answered once, and only its digest is kept."""


class RoomList(Value):
    """All rooms of the server, the newest first."""

    rooms: tuple[RoomView, ...]


class ParticipantView(Value):
    """One participant of a room."""

    id: str
    name: str
    opted_out: bool
    sensitivity: Sensitivity
    """Their own choice, or the room's."""
    pinned: bool
    stale: bool
    """No frame has come for three seconds."""
    width: int | None
    """Pixels of the layer that arrives; None before the first frame."""
    height: int | None
    frames: int
    samples: int
    sample_age: float | None
    """Seconds since the newest sample was taken."""


class ParticipantPatch(Value):
    """A change of one participant."""

    opted_out: Flag | None = None
    sensitivity: Sensitivity | None = None
    """Their own choice, in place of the room's."""
    pinned: Flag | None = None
    """The large tile is theirs."""


class ReactionRequest(Value):
    """A reaction triggered by hand."""

    participant: Annotated[str, Field(min_length=1, max_length=256)]
    label: Label


class RoomStats(Value):
    """The numbers of a room's process, sent to the supervisor once a second.

    All but participants, viewers and the ages of samples are counts since the process began.
    """

    participants: int = 0
    viewers: int = 0
    sample_age: float | None = None
    """Seconds; of the participant whose newest sample is the oldest."""
    median_sample_age: float | None = None
    """Seconds; half of the participants have a newer sample."""
    frames_in: int = 0
    frames_late: int = 0
    ticks: int = 0
    late_ticks: int = 0
    samples: int = 0
    bursts: int = 0
    encoded_bytes: int = 0
    rejoins: dict[str, int] = {}
    """Meetings joined again, by the kind of the loss and the system, with a space between."""
    dropped: dict[str, int] = {}
    """Samples dropped, by reason."""
    reactions: dict[str, int] = {}
    """Reactions started, by label."""
    sink_drops: dict[str, int] = {}
    """Events and packets dropped, by sink."""
    deliveries: dict[str, int] = {}
    """Events handed over, by sink."""
    detections: dict[str, int] = {}
    """Detections by the upper bound of their seconds: the buckets of a histogram, not cumulated."""
    detection_seconds: float = 0.0
    """Of all detections together."""
