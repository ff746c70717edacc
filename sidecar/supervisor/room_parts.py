"""What a supervisor is given: how rooms are limited, and how each is brought to life."""

import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sidecar.inference.detector import DetectorStats
from sidecar.supervisor.admission import REFERENCE, CompositeSize, CostTable
from sidecar.supervisor.control import Begin
from sidecar.supervisor.handle import RoomHandle
from sidecar.supervisor.restarts import LIMIT, WINDOW
from sidecar.supervisor.supervised_room import RoomLimits
from sidecar.supervisor.values import RoomLayout, RoomRequest
from sidecar.supervisor.webhooks import WebhookOptions

LASTING: Final = RoomLimits(math.inf, math.inf)
"""Of rooms that are not left when they are empty."""


@dataclass(frozen=True, slots=True)
class SupervisorOptions:
    """How rooms are run; times in seconds, memory in bytes (0: no limit)."""

    cores: float
    """That all rooms together may use."""
    costs: CostTable
    expected_participants: int = 6
    rate: float = 5.0
    """Samples a second of a room that does not say its own."""
    composite: CompositeSize = REFERENCE
    """Of a room that does not say its own."""
    limits: RoomLimits = field(default_factory=RoomLimits)
    drain: float = 3600.0
    max_restarts: int = LIMIT
    restart_window: float = WINDOW
    memory_warn: int = 0
    memory_limit: int = 0
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)

    def cost(self, request: RoomRequest) -> float:
        """Cores that a room is expected to use, before it is measured."""
        own = request.layout or RoomLayout()
        size = CompositeSize(
            own.width or self.composite.width,
            own.height or self.composite.height,
            own.fps or self.composite.fps,
        )
        rate = request.rate or self.rate
        return self.costs.room(self.expected_participants, rate, size=size)


async def _score_nothing(labels: Collection[str]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class RoomParts:
    """What the supervisor needs to bring a room to life; passed in by the verb that serves."""

    make: Callable[[RoomRequest], RoomHandle]
    """A handle for one life of a room, not started yet."""
    begin: Callable[[str, RoomRequest, Mapping[str, str]], Begin]
    """The first message for a room, its request and its plain secrets."""
    check: Callable[[RoomRequest], str]
    """The URL as it may be shown; raises ConfigError or RefusedError for one that may not be
    joined."""
    detector: Callable[[], DetectorStats] | None = None
    """The numbers of the detector that rooms share; None where there is none."""
    table: Callable[[str], Mapping[str, Any]] = lambda room: {}
    """The reaction table of a room as plain values."""
    labels: Callable[[str], Collection[str]] = lambda room: ()
    """Labels that are on in the reaction table of a room; raises ConfigError."""
    forget: Callable[[str], None] = lambda room: None
    """Deletes what is kept on disk of a room that is wanted no more; may block."""
    hosted: Callable[[RoomRequest], str | None] = lambda _: None
    """The name of a room that this server hosts, None for others: one room has it at a time, and
    the room is kept while it is empty, until the server drains."""
    score: Callable[[Collection[str]], Awaitable[None]] = _score_nothing
    """Returns once the detector that rooms share scores these labels; raises SidecarError."""
    room_tokens: bool = False
    """Participants of a hosted room need a token."""
