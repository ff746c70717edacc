"""A LiveKit room as a session sees it: a hidden participant watches, a visible one publishes."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import aiohttp
import structlog
from aiortc import RTCIceServer, RTCPeerConnection

from config.errors import LostError, NegotiationError, RefusedError, RoomError
from sidecar.aio import Component, TaskSet, close_all, undo_on_failure
from sidecar.media.ice import is_relay
from sidecar.plain_text import clean_text
from sidecar.rooms.base import (
    ConsentChanged,
    JoinOptions,
    ReceiverConstraints,
    RoomChange,
    TrackSource,
)
from sidecar.rooms.changes import RoomChanges, failed_room
from sidecar.rooms.events import (
    CandidateReceived,
    Ended,
    Entered,
    Offered,
    ParticipantsChanged,
    Refused,
    Unwatchable,
)
from sidecar.rooms.http import open_http
from sidecar.rooms.livekit.encryption import KeyRing, read_ring
from sidecar.rooms.livekit.protocol import (
    SUBSCRIBER,
    LiveKitEvent,
    RegionsNamed,
    TokenRenewed,
)
from sidecar.rooms.livekit.publisher import LiveKitPublisher
from sidecar.rooms.livekit.subscriber import LiveKitSubscriber
from sidecar.rooms.livekit.tokens import (
    IDENTITY_SUFFIX,
    SKEW,
    TOKEN,
    GivenToken,
    KeyPair,
    read_grants,
)
from sidecar.rooms.livekit.transport import LiveKitTimeouts, LiveKitTransport, redirect_target
from sidecar.rooms.livekit.url import LiveKitUrl
from sidecar.rooms.turn_probe import reachable_servers

log = structlog.get_logger(__name__)

IDENTITY: Final = "reaction-sidecar"
WATCHER: Final = "-watcher"
"""What the hidden participant's identity has after ``IDENTITY``."""
BEAT_EVERY: Final = 1.0
"""Seconds between two signs of life of a dispatched room; an update of attributes each."""
OPEN_UDP: Final = "let UDP through to its ports, or give it a TURN server over TCP or TLS"


@dataclass(slots=True)
class ReconnectState:
    """What a room hands on to the one that is joined after it was lost."""

    suffix: str = field(default_factory=lambda: uuid4().hex[:8])
    """Tells our identities from those of other sidecars. With the same identity the server puts out
    what is left of the stay before, and no participant sees a ghost."""
    token: str = field(default="", repr=False)
    """The newest token that the server gave us in place of the one we were given; else empty."""
    server: str = ""
    """Where the server asked us to join the next time, which is tried once; else empty."""
    relay: str = ""
    """The TURN server that worked last; else empty."""
    ring: KeyRing | None = field(default=None, repr=False)
    """The keys of a room that is encrypted from end to end, which take a while to derive."""


@dataclass(slots=True, eq=False)
class _Member:
    """One of our participants in the room: its signalling, and the connections it leads to."""

    transport: LiveKitTransport
    ice_servers: Sequence[RTCIceServer] = field(default=(), repr=False)
    subscriber: LiveKitSubscriber | None = None
    publisher: LiveKitPublisher | None = None

    def peers(self) -> list[RTCPeerConnection]:
        parts = (self.subscriber, self.publisher)
        return [part.peer.connection for part in parts if part is not None]

    async def aclose(self) -> None:
        parts = (self.publisher, self.subscriber)
        await close_all((self.transport, *(part for part in parts if part is not None)))


def _first_state(environ: Mapping[str, str]) -> ReconnectState:
    """That of a room that is joined for the first time; raises ConfigError for its keys."""
    state = ReconnectState(ring=read_ring(environ))
    if suffix := environ.get(IDENTITY_SUFFIX, ""):
        state.suffix = suffix
    return state


class LiveKitRoom(Component):
    """Implements ``Room``, ``Renewable``, ``SupportsDataMessages`` and ``HasPeerConnections``.

    Entered once. A task of it that fails ends the room with its reason.
    """

    def __init__(
        self,
        address: LiveKitUrl,
        access: KeyPair | GivenToken,
        options: JoinOptions,
        *,
        state: ReconnectState | None = None,
        timeouts: LiveKitTimeouts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = address
        self._access = access
        self._options = options
        self._shared_suffix = options.environ.get(IDENTITY_SUFFIX, "")
        self._state = state or _first_state(options.environ)
        self._timeouts = timeouts or LiveKitTimeouts()
        self._clock = clock
        given = access.grants.room if isinstance(access, GivenToken) else ""
        self._name = address.room or given or "LiveKit"
        self._server = address.server
        self._changes = RoomChanges()
        self._tasks = TaskSet(self._fail)
        self._resources = contextlib.AsyncExitStack()
        self._http: aiohttp.ClientSession | None = None
        self._members: list[_Member] = []

    @property
    def name(self) -> str:
        return clean_text(self._name)

    def renewed(self) -> "LiveKitRoom":
        return LiveKitRoom(
            self._address,
            self._access,
            self._options,
            state=self._state,
            timeouts=self._timeouts,
            clock=self._clock,
        )

    async def start(self) -> None:
        """Join as a watcher; raises RefusedError where that is refused, else RoomError."""
        async with undo_on_failure(self.aclose):
            await self._enter()

    async def aclose(self) -> None:
        """Leave, and free every connection and task."""
        self._changes.end()
        await self._tasks.aclose()
        members, self._members = self._members, []
        await close_all(members)
        await self._resources.aclose()

    async def changes(self) -> AsyncGenerator[RoomChange]:
        """All participants with a camera as ``Joined``, then each change."""
        async for change in self._changes.follow():
            yield change

    async def publish(self, composite: TrackSource) -> None:
        """Show the composite as the camera of a participant of its own, named as the options say.

        With a single token it is that token's participant, who then is visible.
        """
        member = await self._publishing_member()
        given = self._access if isinstance(self._access, GivenToken) else None
        publisher = member.publisher = LiveKitPublisher(
            member.transport,
            composite,
            member.ice_servers,
            relay_only=self._options.relay_only,
            data=given is None or given.grants.publish_data,
            timeouts=self._timeouts,
            ring=self._state.ring,
        )
        self._tasks.create_task(self._guard(publisher), name="LiveKit publisher")
        await publisher.publish()

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """Ask for the smallest layer that serves ``want``; paused, the server sends nothing."""
        for member in self._members:
            if member.subscriber is not None:
                with member.transport.send_context() as protocol:
                    protocol.constrain(participant, want)

    async def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` as a data message with the topic ``reactions``, if we publish here."""
        for member in self._members:
            if member.publisher is not None:
                member.publisher.announce(event)

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The subscriber's and the publisher's connection."""
        return [peer for member in self._members for peer in member.peers()]

    async def _enter(self) -> None:
        self._http = await self._resources.enter_async_context(open_http())
        if (ring := self._state.ring) is not None:
            await asyncio.to_thread(ring.derive)
        # A better server that does not admit the sidecar is not tried twice.
        self._server, self._state.server = self._state.server or self._server, ""
        member, entered = await self._join(self._watcher_token(), watches=True)
        self._name = entered.room or self._name
        subscriber = member.subscriber = LiveKitSubscriber(
            member.transport,
            self._changes,
            member.ice_servers,
            relay_only=self._options.relay_only,
            timeouts=self._timeouts,
            ring=self._state.ring,
        )
        self._tasks.create_task(subscriber.answer_offers(), name="LiveKit negotiation")
        self._tasks.create_task(self._guard(subscriber), name="LiveKit subscriber")
        self._tasks.create_task(self._follow(member), name="LiveKit watcher's signalling")
        if self._shared_suffix and isinstance(self._access, KeyPair):
            self._tasks.create_task(self._beat(member), name="LiveKit signs of life")

    async def _beat(self, member: _Member) -> None:
        for number in itertools.count():
            with member.transport.send_context() as protocol:
                protocol.beat(number)
            await asyncio.sleep(BEAT_EVERY)

    async def _publishing_member(self) -> _Member:
        if isinstance(self._access, KeyPair):
            token = self._access.publisher(
                self._name, self._identity(), self._options.name, self._clock()
            )
            member, _ = await self._join(token, watches=False)
            self._tasks.create_task(self._follow(member), name="LiveKit publisher's signalling")
            return member
        if not self._access.grants.shows:
            raise RefusedError(
                "participants would not see what this token's bearer publishes",
                where=TOKEN,
                do="grant it canPublish and not hidden, use an API key and secret, or publish "
                "elsewhere",
            )
        return self._members[0]

    async def _join(self, token: str, *, watches: bool) -> tuple[_Member, Entered]:
        assert self._http is not None, "join while the room is entered"
        transport = LiveKitTransport(
            self._http,
            self._server,
            token,
            watches=watches,
            ring=self._state.ring,
            timeouts=self._timeouts,
        )
        # Closed with the room, also where it does not get in.
        member = _Member(transport)
        self._members.append(member)
        entered = await transport.enter()
        member.ice_servers = await self._ice_servers(entered)
        self._server = transport.server
        return member, entered

    async def _ice_servers(self, entered: Entered) -> Sequence[RTCIceServer]:
        """The ICE servers to use, of ours and those that the server names to this participant."""
        chosen = await reachable_servers(
            self._options.ice_servers,
            entered.ice_servers,
            relay_only=self._options.relay_only,
            proven=self._state.relay,
        )
        self._state.relay = next(
            (str(server.urls) for server in chosen if is_relay(server)), self._state.relay
        )
        return chosen

    async def _follow(self, member: _Member) -> None:
        """React to what the server says to one of our participants, until it ends that."""
        async for event in member.transport.events():
            match event:
                case Refused():
                    raise event.error(member.transport.server)
                case Ended():
                    self._end(RoomError("the meeting is over"), lost=False)
                case TokenRenewed() if isinstance(self._access, GivenToken):
                    self._state.token = event.token
                case RegionsNamed(servers=(nearest, *_)):
                    # An address that isn't as safe as this one is no better.
                    with contextlib.suppress(RoomError):
                        self._state.server = redirect_target(self._address.server, nearest)
            if member.subscriber is not None:
                await self._subscriber_event(event, member.subscriber)
            if member.publisher is not None:
                await member.publisher.handle(event)

    async def _subscriber_event(self, event: LiveKitEvent, subscriber: LiveKitSubscriber) -> None:
        match event:
            case Offered():
                subscriber.offered(event)
            case CandidateReceived(stream=stream) if stream == SUBSCRIBER:
                await subscriber.peer.add_candidate(event.candidate)
            case ParticipantsChanged(left=left):
                subscriber.update()
                for identity in left:
                    self._changes.forget(identity, "left")
            case Unwatchable():
                subscriber.update()
            case ConsentChanged():
                self._changes.choose(event.participant, event.consent)

    async def _guard(self, part: LiveKitSubscriber | LiveKitPublisher) -> None:
        """Raise RoomError when a connection is over, or does not come up in time."""
        await part.negotiated.wait()
        try:
            await part.peer.wait_connected()
        except NegotiationError as error:
            raise NegotiationError(error.what, where=self._server, do=OPEN_UDP) from error
        reason = await part.peer.wait_over()
        raise LostError(f"the media connection was lost: {reason}", where=self._server)

    def _fail(self, error: Exception) -> None:
        """A task failed: the room is lost."""
        self._end(failed_room(error, self._server))

    def _end(self, reason: RoomError, *, lost: bool = True) -> None:
        for member in self._members:
            if member.publisher is not None:
                member.publisher.fail(reason)
        self._changes.end(reason if lost else None)

    def _watcher_token(self) -> str:
        if isinstance(self._access, KeyPair):
            identity, beats = self._identity(WATCHER), bool(self._shared_suffix)
            return self._access.watcher(self._name, identity, self._clock(), beats=beats)
        works = "watching and publishing" if self._access.grants.shows else "watching alone"
        log.info("single token joined as one participant", room=self._name, works=works)
        return self._current(self._access)

    def _current(self, given: GivenToken) -> str:
        """The newest form of a token that we were given; RefusedError where it has expired."""
        token = self._state.token or given.token
        expires = read_grants(token, TOKEN).expires
        late = 0.0 if expires is None else self._clock() - expires
        if late > SKEW:
            what = f"the token is no longer valid, since {late:.0f} s"
            raise RefusedError(what, where=TOKEN, do="get a new one")
        return token

    def _identity(self, role: str = "") -> str:
        return f"{IDENTITY}{role}-{self._state.suffix}"
