"""A room that the sidecar hosts: browsers publish by WHIP and watch by WHEP."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Self

import structlog
from aiortc import RTCIceCandidate, RTCIceServer

from config.errors import HttpRefusalError, NegotiationError, RoomError
from sidecar.aio import Broadcast, Contained, TaskSet
from sidecar.media.feed import Feed
from sidecar.media.ice import MAX_CANDIDATES, CandidateBudget
from sidecar.media.peer import PeerOptions
from sidecar.media.receive_peer import ReceivePeer
from sidecar.media.send_peer import SendPeer
from sidecar.plain_text import clean_text
from sidecar.rooms.base import Consent, Joined, ReceiverConstraints, RoomChange, TrackSource
from sidecar.rooms.changes import RoomChanges
from sidecar.rooms.hosted.camera_forwarder import CameraForwarder
from sidecar.rooms.hosted.names import HostedAnswer, Present
from sidecar.rooms.hosted.offer import Offer, Role
from sidecar.rooms.hosted.sessions import NOTICE, Limits, Place, Roster

log = structlog.get_logger(__name__)

ROUND: Final = NOTICE / 2
"""Seconds between two looks for signs of life, and for places whose holder shows none."""


@dataclass(slots=True, eq=False)
class _Camera:
    """A participant whose picture can be watched."""

    place: Place
    feed: Feed


class HostedRoom:
    """A meeting of its own (implements ``Room``): its WHIP and WHEP clients alone.

    The HTTP server gives it checked offers, heartbeats and DELETEs; the session sees cameras come
    and go. A client is freed when it says so, when its connection ends, or when it falls silent.
    """

    def __init__(
        self,
        name: str,
        *,
        limits: Limits | None = None,
        ice_servers: Sequence[RTCIceServer] = (),
        share_cameras: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._shares = share_cameras
        self._solos: dict[str, CameraForwarder] = {}
        self._clock = clock
        self._ice_servers = tuple(ice_servers)
        self._roster = Roster(limits or Limits())
        self._connections: dict[str, ReceivePeer | SendPeer] = {}
        self._cameras: dict[str, _Camera] = {}
        self._composite: TrackSource | None = None
        self._changes = RoomChanges()
        self._updated = Broadcast()
        self._open = False
        self._tasks = TaskSet(self._fail)

    @property
    def name(self) -> str:
        return self._name

    def count(self, role: Role) -> int:
        """How many publish, or watch."""
        return self._roster.count(role)

    async def __aenter__(self) -> Self:
        self._open = True
        self._tasks.create_task(self._rounds(), name=f"room {self._name}")
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False
        for place in self._roster:
            self._part(place, "the room closed")
        self._changes.end()
        self._updated.notify()
        await self._tasks.aclose()

    def changes(self) -> AsyncGenerator[RoomChange]:
        """All participants as ``Joined``, then each change; ends when the room is left."""
        return self._changes.follow()

    async def publish(self, composite: TrackSource) -> None:
        """Give every viewer, from now until the room is left, a track of ``composite``."""
        self._composite = composite

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """Browsers send one layer, of a size that the page sets: there is nothing to choose."""

    async def join(
        self, offer: Offer, name: str, consent: Consent = Consent.OPT_IN, client: str = ""
    ) -> HostedAnswer:
        """Answer an offer of ``client`` to publish a camera.

        Raises HttpRefusalError 400, 429, 503, 504.
        """
        place = self._admit(Role.PUBLISH, name, consent, client)
        place.candidates = CandidateBudget(loopback=offer.from_loopback)
        options = self._peer_options(place, lambda: self._look(place, connection))
        connection = ReceivePeer(options)
        return await self._answer(place, connection, offer)

    async def watch(
        self, offer: Offer, participant: str | None = None, client: str = ""
    ) -> HostedAnswer:
        """Show the composite, or one participant's camera alone, to the client that sent ``offer``.

        Raises HttpRefusalError 409 while there is nothing to watch, 403 where the camera isn't to
        be shared, 404 where it isn't there, 400, 429, 503 and 504.
        """
        shown = self._composite if participant is None else self._solo(participant)
        if shown is None:
            raise HttpRefusalError("nothing to watch yet", status=409, do="try again in a moment")
        place = self._admit(Role.WATCH, "viewer", client=client)
        place.candidates = CandidateBudget(loopback=offer.from_loopback)
        place.watches = participant
        options = self._peer_options(place, lambda: self._look(place, connection))
        connection = SendPeer(shown.subscribe(), options)
        return await self._answer(place, connection, offer)

    def _peer_options(self, place: Place, on_change: Callable[[], None]) -> PeerOptions:
        return PeerOptions(place.participant, self._ice_servers, on_change=on_change)

    async def rosters(self) -> AsyncGenerator[Sequence[Present], None]:
        """Who is there now, then after each change; ends when the room is left.

        Raises HttpRefusalError 403 where the cameras aren't shared.
        """
        check_sharing(self._shares)
        async for _ in self._updated.updates():
            places = [camera.place for camera in self._cameras.values()]
            yield [Present(at.participant, at.name, at.consent is Consent.OPT_OUT) for at in places]
            if not self._open:
                return

    def place(self, role: Role, token: str) -> Place:
        """The place of a session; raises HttpRefusalError 404 when it has none (any more)."""
        return self._roster.find(role, token)

    def leave(self, place: Place, reason: str = "left") -> None:
        """Free a place at once; a task closes its connection."""
        self._part(place, reason)

    def beat(self, place: Place) -> None:
        """Take a heartbeat into account."""
        place.beat_at = self._clock()

    def consent(self, place: Place, consent: Consent) -> None:
        """Take a participant out of sampling and decoration, or back into it."""
        if place.consent is not consent:
            place.consent = consent
            if consent is Consent.OPT_OUT:
                self._end_solo(place.participant, "the participant opted out")
            if place.participant in self._cameras:
                self._changes.choose(place.participant, consent)
            self._updated.notify()

    def choose(self, participant: str, consent: Consent) -> None:
        """As ``consent``, by the name in events; one who is not present is ignored."""
        for place in self._roster:
            if place.participant == participant:
                self.consent(place, consent)

    async def trickle(
        self, place: Place, candidates: Sequence[RTCIceCandidate], size: int = 0
    ) -> None:
        """Pass a client's later candidates on, which came in ``size`` bytes.

        Raises HttpRefusalError 413 where the session has named too many; the others are used.
        """
        if (connection := self._connections.get(place.token)) is None:
            return
        dropped = place.candidates.dropped
        connection.add_allowance(size)
        for candidate in candidates:
            await connection.add_candidate(candidate)
        if place.candidates.dropped > dropped:
            what = f"a session has at most {MAX_CANDIDATES} candidates"
            raise HttpRefusalError(what, status=413, where="PATCH", do="keep to the first ones")

    def _admit(
        self, role: Role, name: str, consent: Consent = Consent.OPT_IN, client: str = ""
    ) -> Place:
        if not self._open:
            raise HttpRefusalError("the room is closed", status=503, do="try again in a moment")
        return self._roster.admit(role, name, self._clock(), consent, client)

    async def _answer(
        self, place: Place, connection: ReceivePeer | SendPeer, offer: Offer
    ) -> HostedAnswer:
        self._connections[place.token] = connection
        with ExitStack() as undo:
            undo.callback(self._part, place, "refused")
            try:
                connection.distrust(place.candidates, offer.size)
                await connection.start()
                sdp = await connection.answer(offer.sdp)
            except NegotiationError as error:
                await self._check_kept(place, connection)
                status, what = 400, clean_text(error.what)
                if error.timed_out:
                    status, what = 504, "no ICE candidates in time"
                raise HttpRefusalError(what, status=status, do=error.do) from error
            undo.pop_all()
        await self._check_kept(place, connection)
        return HostedAnswer(sdp, place.token, place.etag, place.participant)

    async def _check_kept(self, place: Place, connection: ReceivePeer | SendPeer) -> None:
        """Refuse an offer where the room closed meanwhile, and the connection with it."""
        if self._connections.get(place.token) is not connection:
            # Free what came after that.
            await connection.aclose()
            raise HttpRefusalError("the room closed", status=503)

    def _look(self, place: Place, connection: ReceivePeer | SendPeer) -> None:
        """React to a connection's new state."""
        if connection.over:
            self._part(place, "the connection ended")
        elif (
            connection.connected
            and isinstance(connection, ReceivePeer)
            and place.token in self._connections
            and place.participant not in self._cameras
        ):
            self._cameras[place.participant] = _Camera(place, connection.feed)
            if place.consent is Consent.OPT_OUT:
                self._changes.choose(place.participant, place.consent)
            self._changes.join(Joined(place.participant, place.name, connection.feed))
            self._updated.notify()

    def _part(self, place: Place, reason: str) -> None:
        """Free a place and everything that belongs to it; harmless when that is done already."""
        if not self._roster.remove(place):
            return
        if self._cameras.pop(place.participant, None) is not None:
            self._changes.forget(place.participant, reason)
            self._end_solo(place.participant, "the participant left")
            self._updated.notify()
        if (connection := self._connections.pop(place.token, None)) is not None:
            self._tasks.create_cleanup(connection.aclose(), name="connection's end")

    def _solo(self, participant: str) -> CameraForwarder:
        """The camera of ``participant``, for clients that may watch it alone."""
        check_sharing(self._shares)
        camera = self._cameras.get(participant)
        if camera is None:
            raise HttpRefusalError("no such participant", status=404, do="see who is there")
        if camera.place.consent is Consent.OPT_OUT:
            raise HttpRefusalError("this participant opted out", status=403)
        if participant not in self._solos:
            self._solos[participant] = CameraForwarder(camera.feed)
        return self._solos[participant]

    def _end_solo(self, participant: str, reason: str) -> None:
        """End the connections that watch a camera alone."""
        if (solo := self._solos.pop(participant, None)) is not None:
            self._tasks.create_cleanup(solo.close(), name="camera forwarder's end")
        for place in self._roster:
            if place.watches == participant:
                self._part(place, reason)

    def _fail(self, error: Exception) -> None:
        """A task failed: the room is lost."""
        self._changes.end(RoomError(f"internal error: {error!r}", where=self._name))

    async def _rounds(self) -> None:
        """Twice a second: record which sessions send something, and remove those that do not."""
        counts: dict[str, int] = {}
        while True:
            await asyncio.sleep(ROUND)
            now = self._clock()
            counts = await self._note_media(counts, now)
            for participant, solo in list(self._solos.items()):
                if not solo.viewers:
                    self._end_solo(participant, "no viewers")
            for place, reason in self._roster.silent(now):
                log.info("session removed", participant=place.participant, reason=reason)
                self._part(place, reason)

    async def _note_media(self, before: dict[str, int], now: float) -> dict[str, int]:
        after: dict[str, int] = {}
        for place in self._roster:
            connection = self._connections.get(place.token)
            if connection is None:
                continue
            # One that can't be asked counts as silent; the others live on.
            with Contained("liveness check failed", participant=place.participant):
                count = after[place.token] = await _media_count(connection)
                if count > before.get(place.token, 0):
                    place.media_at = now
        return after


def check_sharing(shares: bool) -> None:
    """Raise HttpRefusalError 403 where the operator does not share the cameras."""
    if not shares:
        do = "watch the composite, or let its operator set server.share_cameras"
        raise HttpRefusalError("this server doesn't share cameras", status=403, do=do)


async def _media_count(connection: ReceivePeer | SendPeer) -> int:
    """A number that grows as long as the client's side of the media is alive.

    Frames of a camera; bytes from a viewer, whose receiver reports come about once a second.
    """
    if isinstance(connection, ReceivePeer):
        return connection.media_count()
    return await connection.bytes_received()
