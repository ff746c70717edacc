"""All rooms of one server: admitted, journalled, run, measured, drained."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from config.errors import CapacityError, NotFoundError, SidecarError
from sidecar.aio import Component, Contained, TaskSet
from sidecar.supervisor.admission import Admission
from sidecar.supervisor.control import Begin, ChangeRoom, ChangeTable, Operation
from sidecar.supervisor.event_log import EventLog
from sidecar.supervisor.hosted_names import HostedNames
from sidecar.supervisor.journal import Journal, WantedRoom
from sidecar.supervisor.late_writes import LateWrites
from sidecar.supervisor.overload import SamplingControl
from sidecar.supervisor.participant_choices import ParticipantChoices
from sidecar.supervisor.restarts import RestartLimit
from sidecar.supervisor.room_keys import RoomKeys, check_repeated, is_standing
from sidecar.supervisor.room_parts import LASTING, RoomParts, SupervisorOptions
from sidecar.supervisor.room_tokens import ROOM_TOKEN, issue_token, stored_secrets
from sidecar.supervisor.room_watch import RoomWatch
from sidecar.supervisor.secrets import RoomSecrets, SecretReferences, SecretStore
from sidecar.supervisor.supervised_room import SupervisedRoom
from sidecar.supervisor.totals import Totals
from sidecar.supervisor.values import (
    CreatedRoom,
    RoomPatch,
    RoomRequest,
    RoomState,
    RoomView,
    changed_request,
)
from sidecar.supervisor.webhooks import WebhookDelivery, check_webhooks

log = structlog.get_logger(__name__)

KEPT_OVER: Final = 64
"""Rooms that are over and still listed, the newest."""


class Supervisor(Component):
    """Runs rooms while it is started; ``events`` has what happens in all of them."""

    def __init__(
        self,
        options: SupervisorOptions,
        parts: RoomParts,
        *,
        journal: Journal,
        store: SecretStore,
        references: SecretReferences,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.events = EventLog()
        self.totals = Totals()
        self._past_restarts = 0
        self.admission = Admission(options.cores)
        self.draining = False
        self._options = options
        self._parts = parts
        self._journal = journal
        self._store = store
        self._references = references
        self._clock = clock
        self.webhooks = WebhookDelivery(
            options.webhooks, journal.outbox, lambda stored: self._secret("webhook", stored)
        )
        self.events.subscribe(self.webhooks.take)
        self._rooms: dict[str, SupervisedRoom] = {}
        self._keys = RoomKeys()
        self._late = LateWrites()
        self._hosted = HostedNames(parts.hosted)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._helpers = TaskSet()
        self._watch = RoomWatch(
            options,
            self._running,
            admission=self.admission,
            totals=self.totals,
            detector=parts.detector,
            draining=lambda: self.draining,
            clock=clock,
        )

    async def start(self) -> None:
        """Open the journal and join the rooms that stand in it; raises ConfigError."""
        await self._journal.start()
        await self.webhooks.start()
        rooms = await self._journal.rooms()
        await self._score_again(rooms)
        for wanted in rooms:
            self._resume(wanted)
        self._helpers.create_task(self._watch.run(), name="supervisor")
        self._helpers.create_task(self._late.run(), name="late writes")

    async def _score_again(self, rooms: Sequence[WantedRoom]) -> None:
        """Score what rooms of an earlier run had turned on."""
        labels: set[str] = set()
        for room in rooms:
            labels.update(room.request.labels or ())
            with Contained("reaction table not read", room=room.id):
                labels.update(await asyncio.to_thread(self._parts.labels, room.id))
        with Contained("labels of earlier rooms not loaded"):
            await self._parts.score(labels)

    async def aclose(self) -> None:
        """Leave all rooms, which stay wanted: the next supervisor joins them again."""
        self.draining = True
        await self._leave_all("the server is stopping")
        await self._helpers.aclose()
        self.events.close()
        await self.webhooks.aclose()
        await self._journal.aclose()

    async def drain(self, seconds: float | None = None) -> None:
        """Take no new rooms, and return when the last has ended or after ``seconds``."""
        self.draining = True
        log.info("draining", rooms=len(self._tasks))
        limit = self._options.drain if seconds is None else seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while self._tasks:
                    await asyncio.wait(self._tasks.values())

    @property
    def restarts(self) -> int:
        """Of all rooms' processes since the server began."""
        return self._past_restarts + sum(room.restarts.total for room in self._running())

    @property
    def sampling(self) -> SamplingControl:
        """How often participants are sampled: less under overload."""
        return self._watch.sampling

    @property
    def now(self) -> float:
        """Seconds on the supervisor's clock."""
        return self._clock()

    def _running(self) -> list[SupervisedRoom]:
        return [self._rooms[room] for room in self._tasks]

    def rooms(self) -> list[SupervisedRoom]:
        """All rooms, the newest first."""
        return list(reversed(self._rooms.values()))

    def room(self, room: str) -> SupervisedRoom:
        """The room with this id; raises NotFoundError."""
        try:
            return self._rooms[room]
        except KeyError:
            do = "GET /v1/rooms lists all"
            raise NotFoundError(f"there is no room {room!r}", where="rooms", do=do) from None

    def view(self, room: SupervisedRoom) -> RoomView:
        """``room`` as the API shows it."""
        cores = self.admission.costs(self._clock()).get(room.id, 0.0)
        return room.view(load=round(cores / self.admission.cores, 3))

    def reserve(self, name: str, request: RoomRequest) -> None:
        """Reserve what ``request`` costs as ``name``, until ``release`` or ``create`` takes it.

        Raises CapacityError when there is no capacity or the server drains.
        """
        self._check_draining()
        self.admission.admit(name, self._options.cost(request), self._clock())

    def release(self, name: str) -> None:
        """Free what is reserved as ``name``, if anything is."""
        self.admission.release(name)

    def _check_draining(self) -> None:
        if self.draining:
            what = "the server is draining and takes no new rooms"
            raise CapacityError(what, where="admission", do="ask another server")

    async def create(
        self, request: RoomRequest, *, reserved: str | None = None
    ) -> tuple[CreatedRoom, bool]:
        """The room for ``request``, and whether it is new (False: the idempotency key is known).

        A room with the name of its reservation, ``reserved``, is another system's to place: it is
        kept while it is empty and does not stand in the journal.

        Raises CapacityError when there is no capacity or the server drains, ConfigError or
        RefusedError for a URL that may not be joined or a name in use, InputError for a key that
        made another room, JournalError.
        """
        async with self._keys.turn(request.idempotency_key):
            known = self._keys.get(request.idempotency_key)
            if known is None:
                return await self._make(request, reserved), True
            room = self.room(known)
            check_repeated(request, room.request)
            return CreatedRoom(**dict(self.view(room))), False

    async def _make(self, request: RoomRequest, reserved: str | None) -> CreatedRoom:
        self._check_draining()
        shown = self._parts.check(request)
        given = {name: value.get_secret_value() for name, value in request.secrets.items()}
        await self._parts.score(request.labels or ())
        resolved = self._references.resolve(given)
        check_webhooks(request.webhooks, resolved, self._options.webhooks.rule)
        name, token = self._parts.hosted(request), ""
        if name is not None and (self._parts.room_tokens or ROOM_TOKEN in given):
            given, token = issue_token(given, resolved)
        room = f"r-{secrets.token_hex(8)}"
        with contextlib.ExitStack() as undo:
            if name is not None:
                self._hosted.take(name, room)
                undo.callback(self._hosted.free, request, room)
            if reserved is not None:
                self.admission.release(reserved)
            self.admission.admit(room, self._options.cost(request), self._clock())
            undo.callback(self.admission.release, room)
            plain = request.model_copy(update={"secrets": {}})
            stored = stored_secrets(given, self._store.seal(given))
            wanted = WantedRoom(room, plain, stored, datetime.now(UTC))
            if reserved is None:
                await self.webhooks.remember(room, plain.webhooks, wanted.secrets)
                await self._journal.add(wanted)
            undo.pop_all()
        self._keys.put(request.idempotency_key, room)
        known = self._known(wanted, given)
        view = self.view(self._open(wanted, known, shown, lasting=reserved is not None))
        return CreatedRoom(**dict(view), token=token or None)

    async def change(self, room: str, patch: RoomPatch) -> RoomView:
        """Change a running room and remember the change; raises SidecarError."""
        found = self.room(room)
        if patch.labels is not None:
            self._parts.check(changed_request(found.request, patch))
            await self._parts.score(patch.labels)
        await found.call(ChangeRoom(patch=patch))
        found.request = changed_request(found.request, patch)
        await self._journal.replace(room, found.request)
        return self.view(found)

    async def change_tables(self, room: str | None = None) -> None:
        """Tell a running room, or all of them, that its reaction table or stickers changed."""
        rooms = [one for one in self._running() if room in {None, one.id}]
        await asyncio.gather(*(self._change_table(one) for one in rooms))

    async def _change_table(self, room: SupervisedRoom) -> None:
        try:
            await room.call(ChangeTable(table=dict(self._parts.table(room.id))))
        except (SidecarError, TimeoutError) as error:
            # A room whose process is being started again begins with the new table.
            log.info("reaction table not sent", room=room.id, reason=str(error))

    async def call(self, room: str, operation: Operation) -> Any:
        """Carry out ``operation`` in a room; raises SidecarError or TimeoutError."""
        return await self.room(room).call(operation)

    async def delete(self, room: str) -> RoomView:
        """Remove a room; returns at once, while the room still ends."""
        found = self.room(room)
        await self._forget(found)
        if room in self._tasks:
            leaving = self._helpers.create_task(found.leave("deleted"), name=f"leave {room}")
            self._tasks[room].add_done_callback(lambda _: leaving.cancel())
            await asyncio.sleep(0)
        return self.view(found)

    def _resume(self, wanted: WantedRoom) -> None:
        """Join a room of the journal again; it was admitted before."""
        try:
            shown = self._parts.check(wanted.request)
        except SidecarError:
            shown = "(not allowed any more)"
        self._keys.put(wanted.request.idempotency_key, wanted.id)
        self._hosted.resume(wanted.request, wanted.id)
        self._open(wanted, self._known(wanted), shown)

    def _open(
        self, wanted: WantedRoom, known: RoomSecrets, shown: str, *, lasting: bool = False
    ) -> SupervisedRoom:
        self.webhooks.open_room(wanted.id, wanted.request.webhooks, known.one)
        lasting |= is_standing(wanted.request) or self._hosted.of(wanted.request) is not None
        room = SupervisedRoom(
            wanted.id,
            wanted.request,
            shown,
            wanted.created,
            make=lambda: self._parts.make(wanted.request),
            begin=lambda room: self._begin(room, known),
            events=self.events,
            totals=self.totals,
            restarts=RestartLimit(self._options.max_restarts, self._options.restart_window),
            limits=LASTING if lasting else self._options.limits,
            clock=self._clock,
            on_choices=lambda choices: self._remember(wanted.id, choices),
        )
        room.choices = wanted.choices
        self._rooms[room.id] = room
        self._tasks[room.id] = self._helpers.create_task(self._run(room), name=f"room {room.id}")
        return room

    def _begin(self, room: SupervisedRoom, known: RoomSecrets) -> Begin:
        """The first message of the room's next life."""
        self._parts.check(room.request)
        begin = self._parts.begin(room.id, room.request, known.all())
        return begin.model_copy(update={"choices": room.choices})

    def _remember(self, room: str, choices: ParticipantChoices) -> None:
        """Keep the choices of participants for the next supervisor."""
        write = self._late.write(
            "choices of participants", room, lambda: self._journal.choose(room, choices)
        )
        self._helpers.create_task(write, name=f"choices {room}")

    async def _run(self, room: SupervisedRoom) -> None:
        try:
            with Contained("room failed", room=room.id):
                await room.run()
        finally:
            self.admission.release(room.id)
            self._past_restarts += room.restarts.total
            self._watch.forget(room.id)
            self._tasks.pop(room.id, None)
            self._hosted.free(room.request, room.id)
        if not self.draining and room.state.over and not self._failed(room):
            await self._forget(room)
            await self.webhooks.close_room(room.id)
        self._prune()

    def _known(self, wanted: WantedRoom, given: Mapping[str, str] | None = None) -> RoomSecrets:
        """The secrets of a room, as they were ``given`` or stand in the journal."""
        return RoomSecrets(self._references, self._store, wanted.secrets, given)

    def _secret(self, name: str, stored: str) -> str:
        """A secret as it stands in the journal, in the clear; raises ConfigError."""
        return self._references.resolve(self._store.open({name: stored}))[name]

    @staticmethod
    def _failed(room: SupervisedRoom) -> bool:
        """A failed room stays in the journal, so that a restart with its secrets brings it back."""
        return room.state is RoomState.FAILED

    async def _forget(self, room: SupervisedRoom) -> None:
        self._keys.remove(room.request.idempotency_key)
        await asyncio.to_thread(self._parts.forget, room.id)
        await self._late.write("end of a room", room.id, lambda: self._journal.remove(room.id))

    def _prune(self) -> None:
        over = [room.id for room in self._rooms.values() if room.state.over]
        for room in over[:-KEPT_OVER]:
            del self._rooms[room]

    async def _leave_all(self, reason: str) -> None:
        async def leave(room: SupervisedRoom) -> None:
            with Contained("room not left", room=room.id):
                await room.leave(reason)

        await asyncio.gather(*map(leave, self._running()))
        if self._tasks:
            await asyncio.wait(self._tasks.values())
