"""The sinks of one session: started before it, closed after it."""

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager

from sidecar.aio import Component
from sidecar.media.compositor.render_loop import PictureListener
from sidecar.session.events import EventBus
from sidecar.session.stats import SinkStats
from sidecar.sinks.base import EventSink, PacketSink, PictureSink
from sidecar.sinks.delivery import EventDelivery


class SinkSet(Component):
    """Gives a session its ``outputs`` and ``listeners``, and delivers its events while attached."""

    def __init__(
        self,
        videos: Sequence[PacketSink | PictureSink] = (),
        events: Sequence[EventSink] = (),
    ) -> None:
        self._videos = tuple(videos)
        self._deliveries = tuple(EventDelivery(sink) for sink in events)
        self._life = AsyncExitStack()

    @property
    def outputs(self) -> Sequence[PacketSink]:
        """The sinks that take the encoded composite."""
        return [sink for sink in self._videos if isinstance(sink, PacketSink)]

    @property
    def listeners(self) -> Sequence[PictureListener]:
        """What takes the composite's pictures."""
        return [sink.take for sink in self._videos if isinstance(sink, PictureSink)]

    async def start(self) -> None:
        """Start all of them; raises SidecarError where one can't, and closes the others."""
        async with AsyncExitStack() as stack:
            for sink in self._videos:
                await sink.start()
                stack.push_async_callback(sink.aclose)
            for delivery in self._deliveries:
                await stack.enter_async_context(delivery)
            self._life = stack.pop_all()

    async def aclose(self) -> None:
        """Deliver what waits, and close all; raises SidecarError where a file is not complete."""
        await self._life.aclose()

    @contextmanager
    def attached(self, bus: EventBus) -> Iterator[None]:
        """While it is entered, the event sinks get what ``bus`` publishes."""
        with ExitStack() as stack:
            for delivery in self._deliveries:
                stack.enter_context(bus.subscribe(delivery.put))
            yield

    def stats(self) -> tuple[SinkStats, ...]:
        """The counters of all sinks at this moment."""
        return tuple(sink.stats() for sink in (*self._videos, *self._deliveries))
