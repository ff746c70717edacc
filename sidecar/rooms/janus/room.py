"""A VideoRoom of a Janus server, watched by nobody whom the others could see."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping, Sequence
from typing import Final, Self

import structlog
from aiortc import RTCIceServer, RTCPeerConnection

from config.errors import RefusedError, RoomError
from sidecar.rooms.base import JoinOptions, ReceiverConstraints, RoomChange, TrackSource
from sidecar.rooms.janus import events as heard
from sidecar.rooms.janus.address import Address
from sidecar.rooms.janus.cameras import Cameras
from sidecar.rooms.janus.link import Link
from sidecar.rooms.janus.protocol import JanusProtocol
from sidecar.rooms.janus.publication import Publication
from sidecar.rooms.janus.subscription import Layer
from sidecar.rooms.turn_probe import reachable_servers

log = structlog.get_logger(__name__)

ENTERING: Final = 15.0
"""Seconds until the server has let us in."""
PUBLISHING: Final = 15.0
"""Seconds until the server has taken the composite."""
FAREWELL: Final = 1.0
"""Seconds for saying goodbye."""


class JanusRoom:
    """The room at ``address``: a ``Room`` that supports data messages and has peer connections."""

    def __init__(self, address: Address, options: JoinOptions, *, token: str, secret: str) -> None:
        self._address = address
        self._options = options
        self._protocol = JanusProtocol(address.room, pin=address.pin, token=token, secret=secret)
        self._ice_servers: Sequence[RTCIceServer] = ()
        self._cameras = Cameras(
            relay_only=options.relay_only,
            tell=self._tell,
            answer=self._answer,
            give_up=self._give_up,
            prefer=self._prefer,
        )
        self._link = Link(address, self._protocol, self._hear, self._cameras.begin_round)
        self._changes: asyncio.Queue[RoomChange | None] = asyncio.Queue()
        self._entered = asyncio.Event()
        self._ended = False
        self._failure: RoomError | None = None
        self._publication: Publication | None = None
        self._published: asyncio.Future[str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        return self._address.shown

    async def __aenter__(self) -> Self:
        try:
            how = self._options
            servers = await reachable_servers(how.ice_servers, relay_only=how.relay_only)
            self._ice_servers = self._cameras.ice_servers = servers
            self._spawn(self._talk())
            async with asyncio.timeout(ENTERING):
                await self._entered.wait()
        except TimeoutError as error:
            await self.__aexit__()
            raise RoomError("the server doesn't let us in", where=self.name) from error
        except BaseException:
            await self.__aexit__()
            raise
        if self._ended:
            await self.__aexit__()
            raise self._failure or RoomError("the meeting is over", where=self.name)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._link.leave(FAREWELL)
        for task in tuple(self._tasks):
            task.cancel()
        closing = [self._cameras.close(), *self._tasks]
        if self._publication is not None:
            closing.append(self._publication.close())
        await asyncio.gather(*closing, return_exceptions=True)
        self._finish(None)

    async def changes(self) -> AsyncGenerator[RoomChange]:
        while (change := await self._changes.get()) is not None:
            yield change
        if self._failure is not None:
            raise self._failure

    async def publish(self, composite: TrackSource) -> None:
        publication = self._publication = Publication(
            composite.subscribe(),
            self._ice_servers,
            relay_only=self._options.relay_only,
            data_channel=self._protocol.data_channels,
        )
        offer, mid = await publication.offer()
        self._published = asyncio.get_running_loop().create_future()
        self._protocol.publish(self._options.name, offer, mid)
        self._link.flush()
        try:
            async with asyncio.timeout(PUBLISHING):
                answer = await self._published
        except TimeoutError as error:
            raise RoomError("the server doesn't take the composite", where=self.name) from error
        await publication.accept(answer)
        self._spawn(self._mind(publication))

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        self._cameras.constrain(participant, want)

    async def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` to everybody who subscribed to our data."""
        if self._publication is not None:
            self._publication.announce(event)

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The connections of this moment."""
        ours = [] if self._publication is None else [self._publication.peer]
        return [*ours, *self._cameras.peers()]

    async def _talk(self) -> None:
        """Keep up the conversation with the server until there is nothing more to say."""
        try:
            await self._link.run()
        except RoomError as error:
            self._finish(error)
        except Exception as error:
            # Nobody else would notice; joining anew may help.
            log.exception("the conversation broke", room=self.name)
            self._finish(RoomError(f"the conversation broke: {error!r}", where=self.name))

    async def _mind(self, publication: Publication) -> None:
        await publication.over.wait()
        self._cut_off("the media connection was lost")

    def _answer(self, feed: str, sdp: str) -> None:
        self._protocol.answer(feed, sdp)
        self._link.flush()

    def _give_up(self, feed: str, problem: str) -> None:
        self._hear(self._protocol.give_up(feed, problem))
        self._link.flush()

    def _prefer(self, feed: str, layer: Layer) -> None:
        self._protocol.prefer(feed, layer)
        self._link.flush()

    def _hear(self, events: Iterable[heard.Event]) -> None:
        for event in events:
            self._take(event)

    def _take(self, event: heard.Event) -> None:
        match event:
            case heard.Entered():
                self._entered.set()
            case heard.Failed():
                kind = RefusedError if event.final else RoomError
                self._finish(kind(event.what, where=self.name, do=event.do))
            case heard.Over():
                self._finish(None)
            case heard.Published() | heard.NotPublished() | heard.Unpublished():
                self._settle(event)
            case heard.Trickled(None):
                if self._publication is not None:
                    self._spawn(self._publication.trickle(event.candidate))
            case _:
                self._cameras.hear(event)

    def _settle(self, event: heard.Published | heard.NotPublished | heard.Unpublished) -> None:
        """What became of the composite."""
        waiting = self._published
        if isinstance(event, heard.Unpublished):
            self._cut_off(event.reason)
        elif waiting is None or waiting.done():
            return
        elif isinstance(event, heard.Published):
            waiting.set_result(event.sdp)
        else:
            kind = RefusedError if event.final else RoomError
            waiting.set_exception(kind(event.what, where=self.name, do=event.do))

    def _cut_off(self, reason: str) -> None:
        self._finish(
            RoomError(
                f"the composite was cut off: {reason}",
                where=self.name,
                do="if it never gets through, open UDP to the server, or name a TURN server",
            )
        )

    def _finish(self, failure: RoomError | None) -> None:
        """End ``changes``, and whatever waits for the server."""
        if self._ended:
            return
        self._ended, self._failure = True, failure
        self._changes.put_nowait(None)
        self._entered.set()
        if self._published is not None and not self._published.done():
            self._published.set_exception(
                failure or RoomError("the meeting is over", where=self.name)
            )

    def _tell(self, change: RoomChange) -> None:
        if not self._ended:
            self._changes.put_nowait(change)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
