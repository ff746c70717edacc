"""A WHIP server as a video sink: ``--publish whip+https://HOST/PATH``."""

from sidecar.redaction import shown_url
from sidecar.rooms.base import TrackSource
from sidecar.rooms.whep.client.session import CallOptions
from sidecar.rooms.whip import TOKEN, ReconnectingWhip
from sidecar.session.stats import SinkStats
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.counted_tracks import CountedTracks


class WhipSink:
    """Implements ``PacketSink`` by the WHIP client of ``rooms``, which reconnects by itself."""

    def __init__(self, url: str, *, token: str = "", options: CallOptions | None = None) -> None:
        self._url = url
        self._client = ReconnectingWhip(url, token=token, options=options)
        self._tracks: CountedTracks | None = None

    @property
    def name(self) -> str:
        return f"whip {shown_url(self._url)}"

    async def start(self) -> None:
        """The connection is made when there is a composite to publish."""

    async def publish(self, composite: TrackSource) -> None:
        self._tracks = CountedTracks(composite)
        await self._client.publish(self._tracks)

    async def aclose(self) -> None:
        await self._client.aclose()

    def stats(self) -> SinkStats:
        return SinkStats(self.name) if self._tracks is None else self._tracks.stats(self.name)


def whip_sink(url: str, options: SinkOptions) -> WhipSink:
    """The sink of ``whip+https://…``; ``WHIP_TOKEN`` of the environment is its bearer token."""
    return WhipSink(
        url.partition("+")[2],
        token=options.environ.get(TOKEN, ""),
        options=CallOptions(ice_servers=options.ice_servers, relay_only=options.relay_only),
    )
