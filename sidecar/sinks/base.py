"""The seam between a session and the places that its composite and its events go to.

Sinks are found as entry points of the group ``reaction_sidecar.sinks``: the name is the scheme of
the URLs, and the object makes a sink of one (``SinkType``). ``docs/sinks.md`` shows how to write
one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import av
from aiortc import RTCIceServer

from sidecar.addresses import AddressRule
from sidecar.rooms.base import Room, TrackSource
from sidecar.session.events import SessionEvent
from sidecar.session.stats import SinkStats

SINK_GROUP = "reaction_sidecar.sinks"


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """What a sink may need of the session that it belongs to."""

    room: Room
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where keys and tokens come from. Never shown, logged or put into an error."""
    fps: int = 25
    """Pictures of the composite a second."""
    size: tuple[int, int] = (1280, 720)
    """Width and height of the composite at the beginning, in pixels."""
    ice_servers: Sequence[RTCIceServer] = field(default=(), repr=False)
    relay_only: bool = False
    """Send media through a TURN server and no other way."""
    rule: AddressRule = AddressRule.ANY
    """Where a sink may connect to; all addresses for those that the operator names."""
    stickers: Mapping[str, Path] = field(default_factory=dict)
    """Files of the stickers, by label."""
    files: bool = True
    """Whether ``file:PATH`` may name a secret: not in the URLs of an API's client."""


@runtime_checkable
class EventSink(Protocol):
    """A place that gets events one after another; ``EventDelivery`` runs it.

    ``write`` may take as long as it needs: it runs in a task of its own, events wait in a bounded
    queue, and those that are dropped are counted.
    """

    @property
    def name(self) -> str:
        """What it is called in log and status, without any secret."""
        ...

    async def start(self) -> None:
        """Make ready; raises SidecarError where the user can correct the cause."""
        ...

    async def write(self, event: SessionEvent) -> None:
        """Deliver one event. What it raises is logged, and the event counts as dropped."""
        ...

    async def aclose(self) -> None:
        """Free everything, within two seconds."""
        ...


class VideoSink(Protocol):
    """A place that gets the composite: a ``PacketSink`` or a ``PictureSink``.

    It has a task or thread of its own and a bounded queue; what it drops is counted.
    """

    @property
    def name(self) -> str:
        """What it is called in log and status, without any secret."""
        ...

    async def start(self) -> None:
        """Make ready; raises SidecarError where the user can correct the cause."""
        ...

    async def aclose(self) -> None:
        """End the composite there and free everything; raises SidecarError for what was lost."""
        ...

    def stats(self) -> SinkStats:
        """The counters of this moment."""
        ...


@runtime_checkable
class PacketSink(VideoSink, Protocol):
    """A place that gets the encoded composite."""

    async def publish(self, composite: TrackSource) -> None:
        """Show the composite until the sink is closed; called once, after ``start``.

        Raises SidecarError where it is refused.
        """
        ...


@runtime_checkable
class PictureSink(VideoSink, Protocol):
    """A place that gets the composite's pictures before they are encoded."""

    def take(self, frame: av.VideoFrame, time: float) -> None:
        """Take a picture of ``time`` in seconds; from the drawing thread, so it returns at once.

        The frame is shared: its pixels are only read.
        """
        ...


Sink: TypeAlias = EventSink | PacketSink | PictureSink


class SinkType(Protocol):
    """What an entry point names: a function, or a class with this constructor."""

    def __call__(self, url: str, options: SinkOptions) -> Sink:
        """The sink at ``url``, not started yet; raises ConfigError where the URL is wrong."""
        ...
