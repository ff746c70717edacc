"""A LiveKit room as a session sees it: a hidden participant watches, a visible one publishes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from typing import Final, Self

import aiohttp
import structlog
from aiortc import RTCIceServer, RTCPeerConnection

from config.errors import RefusedError, RoomError
from sidecar.media.feed import Feed
from sidecar.rooms.base import JoinOptions, ReceiverConstraints, RoomChange, TrackSource
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.access import SKEW, TOKEN, GivenToken, KeyPair, read_grants
from sidecar.rooms.livekit.address import Address
from sidecar.rooms.livekit.audience import Audience, Shown
from sidecar.rooms.livekit.chat import Chat
from sidecar.rooms.livekit.leaving import Leaving
from sidecar.rooms.livekit.memory import Lease, Memory
from sidecar.rooms.livekit.participant import Participant
from sidecar.rooms.livekit.protocol import Entered, Event, People, Renewed, Subscription
from sidecar.rooms.livekit.publication import Publication
from sidecar.rooms.livekit.signal import Signal, sent_on
from sidecar.rooms.livekit.watch import Watch
from sidecar.rooms.turn_probe import reachable_servers

log = structlog.get_logger(__name__)

LEAVING: Final = 1.5
"""Seconds that leaving takes at most; what isn't freed by then is freed behind our back."""
IDENTITY: Final = "reaction-sidecar"

_stragglers: set[asyncio.Task[None]] = set()
"""Connections that take longer to close than their room to be left."""


class LiveKitRoom:
    """Implements ``Room``, ``SupportsDataMessages`` and ``HasPeerConnections``; entered once."""

    def __init__(
        self,
        address: Address,
        access: KeyPair | GivenToken,
        options: JoinOptions,
        memory: Memory,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = address
        self._access = access
        self._options = options
        self._memory = memory
        self._clock = clock
        given = access.grants.room if isinstance(access, GivenToken) else ""
        self._name = address.room or given or "LiveKit"
        self._lease: Lease | None = None
        self._server = address.server
        self._audience = Audience()
        self._chat = Chat()
        self._news = asyncio.Event()
        self._over = False
        self._failure: Exception | None = None
        self._http: aiohttp.ClientSession | None = None
        self._watcher: Participant | None = None
        self._publisher: Participant | None = None
        self._running: list[asyncio.Task[None]] = []

    @property
    def name(self) -> str:
        return self._name

    async def __aenter__(self) -> Self:
        try:
            self._http = aiohttp.ClientSession()
            self._lease = self._memory.lease(self._address.server, self._name)
            self._server = self._memory.next_server(self._address.server)
            self._watcher, entered = await self._join(self._watcher_token(), watches=True)
            self._name = entered.room or self._name
            self._watcher.watch = Watch(
                self._watcher.ice_servers,
                relay_only=self._options.relay_only,
                send=self._watcher.signal.send,
                changed=self._announce,
                heard=self._hear,
            )
            self._update(People(entered.people))
            self._start(self._watcher)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._over = True
        self._announce()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running.clear()
        participants = {self._watcher, self._publisher} - {None}
        self._watcher = self._publisher = None
        closing = [participant.close() for participant in participants if participant is not None]
        await _finish(closing, LEAVING)
        if self._http is not None:
            await self._http.close()
        if self._lease is not None:
            self._lease.release()

    async def changes(self) -> AsyncGenerator[RoomChange]:
        """Everybody with a camera as ``Joined``, then each change.

        What is told is the difference between what was told before and what is: a reader may be as
        slow as it likes, and nothing piles up.
        """
        shown: dict[str, Shown] = {}
        while True:
            news = self._news
            if self._failure is not None:
                raise self._failure
            if self._over:
                return
            for change in self._audience.changes(shown, self._feed):
                yield change
            await news.wait()

    async def publish(self, composite: TrackSource) -> None:
        """Show the composite as the camera of a participant of its own, named as the options say.

        With a single token it is that token's participant, who then is visible.
        """
        if isinstance(self._access, GivenToken):
            if not self._access.grants.shows:
                raise RefusedError(
                    "nobody would see what this token's bearer publishes",
                    where=TOKEN,
                    do="grant it canPublish and not hidden, use an API key and secret, or publish "
                    "elsewhere",
                )
            assert self._watcher is not None, "publish while the room is entered"
            publisher = self._watcher
        else:
            token = self._access.publisher(
                self._name, self._identity(), self._options.name, self._clock()
            )
            publisher, _ = await self._join(token, watches=False)
            self._publisher = publisher
            self._start(publisher)
        publication = Publication(
            composite,
            publisher.ice_servers,
            relay_only=self._options.relay_only,
            data=not isinstance(self._access, GivenToken) or self._access.grants.publish_data,
            send=publisher.signal.send,
        )
        publisher.publish(publication)
        await publication.start()

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """Ask for the smallest layer that serves ``want``; paused, the server sends nothing."""
        if self._watcher is not None:
            for message in self._audience.constrain(participant, want):
                self._watcher.signal.send(message)

    async def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` as a data message with the topic ``reactions``, if we publish here."""
        for participant in (self._watcher, self._publisher):
            if participant is not None and participant.publication is not None:
                participant.publication.announce(event)

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The subscriber's and the publisher's connection."""
        participants = (self._watcher, self._publisher)
        return [peer for one in participants if one is not None for peer in one.peers()]

    async def _join(self, token: str, *, watches: bool) -> tuple[Participant, Entered]:
        assert self._http is not None, "join while the room is entered"
        signal = Signal(self._http, self._server, token, messages.query(watches=watches))
        participant = Participant(signal, self._take)
        try:
            entered = await signal.enter()
            participant.ice_servers = await self._relays(entered)
        except BaseException:
            await participant.close()
            raise
        self._server = signal.server
        return participant, entered

    async def _relays(self, entered: Entered) -> Sequence[RTCIceServer]:
        """The ICE servers to use, of ours and those that the server names to this participant."""
        where = self._address.server
        chosen = await reachable_servers(
            self._options.ice_servers,
            entered.ice_servers,
            relay_only=self._options.relay_only,
            proven=self._memory.relay(where),
        )
        for server in chosen:
            if str(server.urls).startswith("turn"):
                self._memory.note_relay(where, str(server.urls))
        return chosen

    def _start(self, participant: Participant) -> None:
        running = asyncio.create_task(self._run(participant), name=f"LiveKit room {self._name}")
        self._running.append(running)

    async def _run(self, participant: Participant) -> None:
        try:
            await participant.run()
        except Exception as error:
            self._failure = self._failure or error
        self._over = True
        self._announce()

    def _take(self, event: Event) -> None:
        """React to what the server says to one of our participants."""
        match event:
            case People():
                self._update(event)
            case Subscription():
                self._audience.subscription(event)
                self._announce()
            case Renewed(token=token) if isinstance(self._access, GivenToken):
                self._memory.renew(self._access.token, token)
            case Leaving(servers=(nearest, *_)):
                # An address that isn't as safe as this one is no better.
                with contextlib.suppress(RoomError):
                    where = self._address.server
                    self._memory.send_on(where, sent_on(where, nearest))

    def _update(self, news: People) -> None:
        if self._watcher is not None:
            for message in self._audience.update(news.people):
                self._watcher.signal.send(message)
        self._announce()

    def _hear(self, data: bytes | str) -> None:
        said = self._chat.receive(data)
        if said is not None and self._audience.hear(said):
            self._announce()

    def _feed(self, track: str) -> Feed | None:
        watch = None if self._watcher is None else self._watcher.watch
        return None if watch is None else watch.feed(track)

    def _announce(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _watcher_token(self) -> str:
        if isinstance(self._access, KeyPair):
            return self._access.watcher(self._name, self._identity("-watcher"), self._clock())
        works = "watching and publishing" if self._access.grants.shows else "watching alone"
        log.info("a single token is a single participant", room=self._name, works=works)
        return self._current(self._access)

    def _current(self, given: GivenToken) -> str:
        """The newest form of a token that we were given; RefusedError where its time is over."""
        token = self._memory.newest(given.token)
        expires = read_grants(token, TOKEN).expires
        late = 0.0 if expires is None else self._clock() - expires
        if late > SKEW:
            what = f"the token is no longer valid, since {late:.0f} s"
            raise RefusedError(what, where=TOKEN, do="get a new one")
        return token

    def _identity(self, role: str = "") -> str:
        assert self._lease is not None, "an identity is had while the room is entered"
        return f"{IDENTITY}{role}-{self._lease.suffix}"


async def _finish(work: Sequence[Coroutine[object, object, None]], seconds: float) -> None:
    """Do ``work`` at once, and what takes longer than ``seconds`` in the background."""
    tasks = [asyncio.create_task(step) for step in work]
    for task in tasks:
        _stragglers.add(task)
        task.add_done_callback(_stragglers.discard)
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
