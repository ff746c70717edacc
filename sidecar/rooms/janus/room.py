"""A VideoRoom of a Janus server as a ``Room``; the watcher is not in its participants' list."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from aiortc import RTCPeerConnection

from config.errors import LostError, RoomError
from sidecar.aio import Component, TaskSet, undo_on_failure
from sidecar.rooms.base import JoinOptions, ReceiverConstraints, RoomChange, TrackSource
from sidecar.rooms.changes import RoomChanges, failed_room
from sidecar.rooms.events import Ended, Entered, Refused, Unpublished
from sidecar.rooms.janus.exchange import JanusEvent
from sidecar.rooms.janus.protocol import JanusProtocol
from sidecar.rooms.janus.publisher import JanusPublisher, composite_lost
from sidecar.rooms.janus.subscriber import JanusSubscriber
from sidecar.rooms.janus.transport import JanusTimeouts, JanusTransport
from sidecar.rooms.janus.url import JanusUrl
from sidecar.rooms.turn_probe import reachable_servers


class JanusRoom(Component):
    """The room at ``url``: a ``Room`` that supports data messages and has peer connections.

    A task of the room that fails ends the room, with its error.
    """

    def __init__(
        self,
        url: JanusUrl,
        options: JoinOptions,
        *,
        token: str = "",
        secret: str = "",
        timeouts: JanusTimeouts | None = None,
    ) -> None:
        self._url = url
        self._options = options
        self._timeouts = timeouts or JanusTimeouts()
        self._protocol = JanusProtocol(url.room, pin=url.pin, token=token, secret=secret)
        self._transport = JanusTransport(url, self._protocol, self._timeouts)
        self._changes = RoomChanges()
        self._tasks = TaskSet(on_failure=self._task_failed)
        self._entry: asyncio.Future[None] | None = None
        self._subscriber = JanusSubscriber(
            self._transport,
            self._changes,
            self._tasks,
            relay_only=options.relay_only,
            timeouts=self._timeouts,
        )
        self._publisher = JanusPublisher(
            self._transport,
            self._tasks,
            options.name,
            relay_only=options.relay_only,
            timeouts=self._timeouts,
        )

    @property
    def name(self) -> str:
        return self._url.shown

    async def start(self) -> None:
        """Enter the room; raises RoomError where that fails."""
        async with undo_on_failure(self.aclose):
            try:
                await self._enter()
            except TimeoutError as error:
                what = "the server did not admit the sidecar in time"
                raise RoomError(what, where=self.name) from error

    async def aclose(self) -> None:
        """Leave the room, and free every connection and task."""
        await self._transport.leave()
        self._subscriber.close()
        self._publisher.close()
        self._end(None)
        await self._tasks.aclose()

    def changes(self) -> AsyncGenerator[RoomChange]:
        return self._changes.follow()

    async def publish(self, composite: TrackSource) -> None:
        if self._changes.ended:
            raise LostError("the room is lost or left", where=self.name)
        await self._publisher.publish(composite, data_channel=self._protocol.data_channels)

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        self._subscriber.constrain(participant, want)

    async def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` to all clients that subscribed to the composite's data channel."""
        self._publisher.announce(event)

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The peer connections of this moment, the composite's first."""
        return [*self._publisher.connections(), *self._subscriber.connections()]

    async def _enter(self) -> None:
        options = self._options
        servers = await reachable_servers(options.ice_servers, relay_only=options.relay_only)
        self._subscriber.ice_servers = self._publisher.ice_servers = servers
        self._entry = asyncio.get_running_loop().create_future()
        self._tasks.create_task(self._converse(), name="janus transport")
        self._tasks.create_task(self._handle_events(), name="janus events")
        self._tasks.create_task(self._subscriber.run(), name="janus layers")
        async with asyncio.timeout(self._timeouts.enter):
            await self._entry

    async def _converse(self) -> None:
        try:
            await self._transport.run()
        except RoomError as error:
            self._end(error)

    async def _handle_events(self) -> None:
        async for event in self._transport.events():
            self._handle(event)

    def _handle(self, event: JanusEvent) -> None:
        match event:
            case Entered():
                if self._entry is not None and not self._entry.done():
                    self._entry.set_result(None)
            case Refused():
                self._end(event.error(self.name))
            case Ended():
                self._end(None)
            case Unpublished():
                self._end(composite_lost(event.reason))
            case _:
                self._subscriber.handle(event)
                self._publisher.handle(event)

    def _task_failed(self, error: Exception) -> None:
        self._end(failed_room(error, self.name))

    def _end(self, failure: RoomError | None) -> None:
        """End ``changes``, and all that waits for the server; the first reason counts."""
        if self._changes.ended:
            return
        self._changes.end(failure)
        error = failure or RoomError("the meeting is over", where=self.name)
        if self._entry is not None and not self._entry.done():
            self._entry.set_exception(error)
        self._publisher.fail(error)
