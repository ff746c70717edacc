"""A room of WHEP streams: each is a participant, connected or not."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

import structlog
from aiortc import RTCPeerConnection

from config.errors import RefusedError, RoomError
from sidecar.aio import TaskSet, cancel_and_wait
from sidecar.rooms.base import Joined, ReceiverConstraints, RoomChange, TrackSource
from sidecar.rooms.changes import RoomChanges, failed_room
from sidecar.rooms.http import open_http
from sidecar.rooms.whep.addresses import WhepUrl
from sidecar.rooms.whep.client.failures import Retry
from sidecar.rooms.whep.client.session import CallOptions
from sidecar.rooms.whep.stream import Stream

log = structlog.get_logger(__name__)

FIRST: Final = 10.0
"""Seconds until entering no longer waits for streams that have neither come nor failed."""


class WhepRoom:
    """Implements ``Room``. A stream that ends, or isn't there yet, is waited for on its own: its
    tile stands still meanwhile; the others continue."""

    def __init__(self, addresses: Sequence[WhepUrl], options: CallOptions) -> None:
        self._addresses = addresses
        self._options = options
        self._streams: list[Stream] = []
        self._changes = RoomChanges()
        self._problems: dict[str, str] = {}
        self._life = AsyncExitStack()

    @property
    def name(self) -> str:
        names = [address.name for address in self._addresses]
        return names[0] if len(names) == 1 else f"{len(names)} streams"

    async def __aenter__(self) -> Self:
        """Ask for every stream; raises RefusedError where none will ever be ours, RoomError where
        no server answers."""
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(open_http())
            self._streams = [
                Stream(http, address.endpoint, address.name, self._options, self._update)
                for address in self._addresses
            ]
            for one in self._streams:
                self._show(one)
            tasks = await stack.enter_async_context(TaskSet(self._fail))
            for one in self._streams:
                tasks.create_task(one.run(), name=f"stream {one.name}")
            await self._tried()
            self._life = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._changes.end()
        await self._life.aclose()

    def changes(self) -> AsyncGenerator[RoomChange]:
        return self._changes.follow()

    async def publish(self, composite: TrackSource) -> None:
        """Streams are for watching: the composite needs an outlet of its own."""
        log.info(
            "composite not published",
            reason="streams take none",
            do="publish to a whip+https:// address or a file",
        )

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """Which layers there are is an extension of WHEP that no server we know has."""

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The connections of the streams that are watched now."""
        return [stream.peer for stream in self._streams if stream.peer is not None]

    async def _tried(self) -> None:
        """Wait for the first attempts; raises where it is clear that nothing will come of them."""
        tried = [asyncio.ensure_future(stream.tried.wait()) for stream in self._streams]
        try:
            await asyncio.wait(tried, timeout=FIRST)
        finally:
            await cancel_and_wait(*tried)
        failures = [stream.failure for stream in self._streams]
        if all(failure and failure.retry is Retry.NEVER for failure in failures):
            raise self._hopeless()
        if all(failure and not failure.status and failure.where for failure in failures):
            raise RoomError(self._failures(), do="check the address, and that the server runs")

    def _update(self) -> None:
        """Report what has changed of the streams; the meeting is over when none can come back."""
        for stream in self._streams:
            if stream.problem != self._problems[stream.name]:
                self._show(stream)
        if all(stream.feed.ended for stream in self._streams):
            self._changes.end(self._hopeless())

    def _show(self, stream: Stream) -> None:
        problem = self._problems[stream.name] = stream.problem
        feed = None if problem else stream.feed
        self._changes.join(Joined(stream.name, stream.name, feed, problem))

    def _fail(self, error: Exception) -> None:
        """A task failed: the room is lost."""
        self._changes.end(failed_room(error, self.name))

    def _hopeless(self) -> RefusedError:
        return RefusedError(self._failures(), where=self.name)

    def _failures(self) -> str:
        return "; ".join(f"{stream.name}: {stream.failure}" for stream in self._streams)
