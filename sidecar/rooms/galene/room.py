"""A group of a Galène as a ``Room``: one client, a connection a camera, and one of our own."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

import aiohttp
import structlog
from aiortc import RTCPeerConnection

from config.errors import RefusedError, RoomError
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    JoinOptions,
    Left,
    ReceiverConstraints,
    RoomChange,
    TrackSource,
)
from sidecar.rooms.galene import events
from sidecar.rooms.galene.address import Address
from sidecar.rooms.galene.cameras import Cameras, Seen
from sidecar.rooms.galene.credentials import Credentials
from sidecar.rooms.galene.door import MAX_REDIRECTS, Group, authorise, find_group, moved
from sidecar.rooms.galene.errands import Errands
from sidecar.rooms.galene.line import PING_EVERY, Line
from sidecar.rooms.galene.protocol import GaleneProtocol
from sidecar.rooms.galene.roster import MAX_CHOICES
from sidecar.rooms.galene.stage import Stage

log = structlog.get_logger(__name__)

JOINING: Final = 15.0
"""Seconds that the server may take to let us in."""
ROUND: Final = 1.0
"""Seconds between two looks at what ends or changes by time alone."""


class GaleneRoom:
    """The group at ``address``, entered as one client that everybody sees (implements ``Room``)."""

    def __init__(self, address: Address, credentials: Credentials, options: JoinOptions) -> None:
        self._address = address
        self._credentials = credentials
        self._options = options
        self._name = address.name
        self._life = AsyncExitStack()
        self._news = asyncio.Event()
        self._choices: dict[str, Consent] = {}
        self._failure: RoomError | None = None
        self._entry: asyncio.Future[events.Event] | None = None
        self._start(address.name, credentials)

    @property
    def name(self) -> str:
        return self._name

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            address = self._address
            for _ in range(MAX_REDIRECTS):
                group = await find_group(http, address, self._credentials)
                location = await self._join(http, group, stack)
                if location is None:
                    break
                address = moved(group.address, location, self._credentials)
            else:
                raise RefusedError("the group was moved too often", where=self._address.url)
            self._errands.start(self._rounds())
            self._life = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._protocol.leave()
        await self._life.aclose()

    async def changes(self) -> AsyncGenerator[RoomChange]:
        """Everybody present as ``Joined``, then each change: the difference from what was told."""
        told: dict[str, Seen] = {}
        heard: dict[str, Consent] = {}
        while True:
            news = self._news
            for change in self._differences(told, heard):
                yield change
            if self._failure is not None:
                raise self._failure
            await news.wait()

    async def publish(self, composite: TrackSource) -> None:
        """Show the composite as a camera of ours; raises RefusedError where we may not."""
        await self._stage.show(composite)

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        self._cameras.constrain(participant, want)

    async def announce(self, event: Mapping[str, object]) -> None:
        """Tell every client's program of ``event``, by a user message that people don't see."""
        self._protocol.announce(dict(event))
        self._flush()

    def peers(self) -> Sequence[RTCPeerConnection]:
        return [*self._cameras.peers(), *self._stage.peers()]

    def _start(self, group: str, credentials: Credentials) -> None:
        """Be a new client, of whom nobody has heard yet."""
        self._protocol = GaleneProtocol(secrets.token_hex(16), group, credentials)
        self._errands = Errands()
        self._cameras = Cameras(
            self._protocol, self._errands, on_news=self._announce_news, flush=self._flush
        )
        self._stage = Stage(self._protocol, self._errands, flush=self._flush)
        self._line: Line | None = None

    async def _join(
        self, http: aiohttp.ClientSession, group: Group, stack: AsyncExitStack
    ) -> str | None:
        """Join ``group``; where it is instead, if it was moved."""
        async with AsyncExitStack() as attempt:
            credentials = await authorise(http, group, self._credentials)
            self._start(group.name, credentials)
            self._line = await Line.open(http, group.endpoint, self._protocol.outgoing)
            attempt.push_async_callback(self._close)
            self._entry = asyncio.get_running_loop().create_future()
            self._protocol.join()
            self._flush()
            self._errands.start(self._listen(self._line))
            event = await self._entered(self._entry, group)
            if isinstance(event, events.Moved):
                return event.location
            self._name = group.name
            stack.push_async_exit(attempt.pop_all())
        return None

    async def _entered(
        self, entry: asyncio.Future[events.Event], group: Group
    ) -> events.Entered | events.Moved:
        """What the server makes of our wish to join; raises RoomError where it has another."""
        try:
            async with asyncio.timeout(JOINING):
                event = await entry
        except TimeoutError as error:
            raise RoomError("did not let us in in time", where=group.address.url) from error
        if isinstance(event, events.Refused):
            raise _error(event, group.address.url)
        assert isinstance(event, events.Entered | events.Moved)
        return event

    async def _listen(self, line: Line) -> None:
        """Do what comes of each message until the line is lost."""
        try:
            async for text in line.texts():
                for event in self._protocol.receive(text):
                    self._handle(event)
                self._flush()
        except RoomError as error:
            self._fail(RoomError(error.what, where=self._address.url))
        except Exception as error:
            log.exception("a message could not be handled", room=self._name)
            self._fail(RoomError(f"broke down: {error!r}", where=self._address.url))

    def _handle(self, event: events.Event) -> None:
        match event:
            case events.Entered():
                self._equip(event)
                self._resolve(event)
            case events.Moved():
                self._resolve(event)
            case events.Refused():
                self._resolve(event)
                self._fail(_error(event, self._address.url))
            case events.Arrived():
                self._stage.arrived()
            case events.Chose():
                self._heed(event)
            case events.Complaint():
                log.warning("the server complains", room=self._name, text=event.text)
                self._stage.complained(event.text)
            case _:
                self._handle_stream(event)

    def _handle_stream(self, event: events.Event) -> None:
        match event:
            case events.Offered():
                self._cameras.offered(event)
            case events.Closed():
                self._cameras.closed(event.stream)
            case events.Withheld():
                self._cameras.withheld(event.stream)
            case events.Trickled():
                self._cameras.trickled(event)
                self._stage.trickled(event)
            case events.Answered():
                self._stage.answered(event)
            case events.Lost():
                self._stage.lost(event.stream)

    def _equip(self, entered: events.Entered) -> None:
        servers = (tuple(self._options.ice_servers), entered.ice_servers)
        relay_only = self._options.relay_only or entered.relay_only
        self._cameras.use(servers, relay_only=relay_only)
        self._stage.use(servers, relay_only=relay_only, allowed=entered.may_present)

    def _heed(self, chose: events.Chose) -> None:
        if chose.participant in self._choices or len(self._choices) < MAX_CHOICES:
            self._choices[chose.participant] = chose.consent
        if chose.asked_by:
            self._protocol.confirm(chose.asked_by, chose.consent)
        self._announce_news()

    def _resolve(self, event: events.Event) -> None:
        if self._entry is not None and not self._entry.done():
            self._entry.set_result(event)

    def _fail(self, error: RoomError) -> None:
        """The meeting is lost; only the first reason counts, the others follow from it."""
        if self._entry is not None and not self._entry.done():
            self._entry.set_exception(error)
        if self._failure is None:
            self._failure = error
            self._announce_news()

    def _differences(self, told: dict[str, Seen], heard: dict[str, Consent]) -> list[RoomChange]:
        """What changed since ``told`` and ``heard``, which are brought up to date."""
        changes: list[RoomChange] = []
        seen = self._cameras.seen
        for participant in [person for person in told if person not in seen]:
            changes.append(Left(participant, "their camera is off"))
            del told[participant]
        for participant, tile in seen.items():
            if told.get(participant) is not tile:
                told[participant] = tile
                changes.append(Joined(participant, tile.name, tile.feed, tile.problem))
        wishes = {person: self._choices.get(tile.owner) for person, tile in seen.items()}
        for participant, consent in (self._choices | wishes).items():
            if consent is not None and heard.get(participant) is not consent:
                heard[participant] = consent
                changes.append(ConsentChanged(participant, consent))
        return changes

    async def _rounds(self) -> None:
        """Once a second: signs of life, layers, and what is stuck."""
        loop = asyncio.get_running_loop()
        ping_at = loop.time()
        # After a moment the chat's history has come, which may hold our notice already.
        await asyncio.sleep(ROUND)
        self._protocol.notify()
        while True:
            if loop.time() >= ping_at:
                ping_at = loop.time() + PING_EVERY
                self._protocol.ping()
            self._cameras.look()
            self._stage.look()
            self._flush()
            await asyncio.sleep(ROUND)

    def _flush(self) -> None:
        if self._line is not None:
            self._line.flush()

    def _announce_news(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _close(self) -> None:
        """Say goodbye and free everything, of this attempt at joining or of the whole stay."""
        if self._line is not None:
            await self._line.close()
        await asyncio.gather(self._errands.close(), self._cameras.close(), self._stage.close())


def _error(refused: events.Refused, where: str) -> RoomError:
    kind = RefusedError if refused.final else RoomError
    return kind(refused.what, where=where, do=refused.do)
