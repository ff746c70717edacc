"""Counts what the tracks of one sink delivered and dropped."""

from aiortc import MediaStreamTrack

from sidecar.media.packet_track import PacketTrack
from sidecar.rooms.base import TrackSource
from sidecar.session.stats import SinkStats


class CountedTracks:
    """Implements ``TrackSource`` over another one, such as the encoder of the composite."""

    def __init__(self, composite: TrackSource) -> None:
        self._composite = composite
        self._live: list[PacketTrack] = []
        self._sent = 0
        self._dropped = 0

    def subscribe(self) -> MediaStreamTrack:
        self._count_ended()
        track = self._composite.subscribe()
        if isinstance(track, PacketTrack):
            self._live.append(track)
        return track

    def stats(self, name: str) -> SinkStats:
        """Packets of all tracks so far."""
        sent = self._sent + sum(track.sent for track in self._live)
        dropped = self._dropped + sum(track.dropped for track in self._live)
        return SinkStats(name, sent, dropped)

    def _count_ended(self) -> None:
        """Viewers come and go: the tracks of viewers who left are not kept."""
        for track in [track for track in self._live if track.readyState != "live"]:
            self._live.remove(track)
            self._sent += track.sent
            self._dropped += track.dropped
