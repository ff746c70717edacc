"""The meeting itself as a video sink: ``--publish room``."""

from sidecar.rooms.base import Room, TrackSource
from sidecar.session.stats import SinkStats
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.counted_tracks import CountedTracks


class RoomSink:
    """Implements ``PacketSink``: publishes the composite into ``room``, which its session joins."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._tracks: CountedTracks | None = None

    @property
    def name(self) -> str:
        return "room"

    async def start(self) -> None:
        """The room is joined by its session."""

    async def publish(self, composite: TrackSource) -> None:
        self._tracks = CountedTracks(composite)
        await self._room.publish(self._tracks)

    async def aclose(self) -> None:
        """The room is left by its session."""

    def stats(self) -> SinkStats:
        return SinkStats(self.name) if self._tracks is None else self._tracks.stats(self.name)


def room_sink(url: str, options: SinkOptions) -> RoomSink:
    """The sink of ``room``."""
    return RoomSink(options.room)
