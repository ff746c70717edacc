"""All rooms of one server: admitted, journalled, run, measured, drained."""

import asyncio
import contextlib
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from config.errors import CapacityError, ConfigError, NotFoundError, RefusedError, SidecarError
from sidecar.addresses import check_host
from sidecar.aio import Component, Contained, TaskSet
from sidecar.inference.detector import DetectorStats, DropReason
from sidecar.sinks.webhook.signature import signing_key
from sidecar.supervisor.admission import REFERENCE, Admission, CompositeSize, CostTable, UsedSeconds
from sidecar.supervisor.control import Begin, ChangeRoom, ChangeSampling, ChangeTable, Operation
from sidecar.supervisor.event_log import EventLog
from sidecar.supervisor.handle import RoomHandle
from sidecar.supervisor.journal import Journal, WantedRoom
from sidecar.supervisor.overload import LoadCounts, SamplingControl
from sidecar.supervisor.participant_choices import ParticipantChoices
from sidecar.supervisor.restarts import LIMIT, WINDOW, RestartLimit
from sidecar.supervisor.room_keys import RoomKeys, check_repeated, is_standing
from sidecar.supervisor.room_tokens import ROOM_TOKEN, issue_token, stored_secrets
from sidecar.supervisor.room_urls import host_of
from sidecar.supervisor.secrets import SecretReferences, SecretStore
from sidecar.supervisor.supervised_room import RoomLimits, SupervisedRoom
from sidecar.supervisor.totals import Totals
from sidecar.supervisor.values import (
    CreatedRoom,
    RoomLayout,
    RoomPatch,
    RoomRequest,
    RoomState,
    RoomView,
)
from sidecar.supervisor.webhooks import WebhookDelivery, WebhookOptions

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 1.0
"""Seconds between two measurements of all rooms."""
OVERLOAD_DROPS: Final = (DropReason.REPLACED, DropReason.EXPIRED)
"""Reasons for which samples are dropped where there are more than workers manage."""
LASTING: Final = RoomLimits(math.inf, math.inf)
"""Of rooms that are not left when they are empty."""
KEPT_OVER: Final = 64
"""Rooms that are over and still listed, the newest."""


@dataclass(frozen=True, slots=True)
class SupervisorOptions:
    """How rooms are run; times in seconds, memory in bytes (0: no limit)."""

    cores: float
    """That all rooms together may use."""
    costs: CostTable
    expected_participants: int = 6
    rate: float = 5.0
    """Samples a second of a room that does not say its own."""
    composite: CompositeSize = REFERENCE
    """Of a room that does not say its own."""
    limits: RoomLimits = field(default_factory=RoomLimits)
    drain: float = 3600.0
    max_restarts: int = LIMIT
    restart_window: float = WINDOW
    memory_warn: int = 0
    memory_limit: int = 0
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)


async def _score_nothing(labels: Collection[str]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class RoomParts:
    """What the supervisor needs to bring a room to life; passed in by the verb that serves."""

    make: Callable[[RoomRequest], RoomHandle]
    """A handle for one life of a room, not started yet."""
    begin: Callable[[str, RoomRequest, Mapping[str, str]], Begin]
    """The first message for a room, its request and its plain secrets."""
    check: Callable[[RoomRequest], str]
    """The URL as it may be shown; raises ConfigError or RefusedError for one that may not be
    joined."""
    detector: Callable[[], DetectorStats] | None = None
    """The numbers of the detector that rooms share; None where there is none."""
    table: Callable[[str], Mapping[str, Any]] = lambda room: {}
    """The reaction table of a room as plain values."""
    labels: Callable[[str], Collection[str]] = lambda room: ()
    """Labels that are on in the reaction table of a room; raises ConfigError."""
    forget: Callable[[str], None] = lambda room: None
    """Deletes what is kept on disk of a room that is wanted no more; may block."""
    hosted: Callable[[RoomRequest], str | None] = lambda _: None
    """The name of a room that this server hosts, None for others: one room has it at a time, and
    the room is kept while it is empty, until the server drains."""
    score: Callable[[Collection[str]], Awaitable[None]] = _score_nothing
    """Returns once the detector that rooms share scores these labels; raises SidecarError."""
    room_tokens: bool = False
    """Participants of a hosted room need a token."""


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
        self.sampling = SamplingControl()
        """How often participants are sampled: less under overload."""
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
        self._hosted: dict[str, str] = {}
        """The room of each name of a hosted one."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._usage: dict[str, UsedSeconds] = {}
        """By room: what it had used when it was measured last."""
        self._warned: set[str] = set()
        self._helpers = TaskSet()

    async def start(self) -> None:
        """Open the journal and join the rooms that stand in it; raises ConfigError."""
        await self._journal.start()
        await self.webhooks.start()
        rooms = await self._journal.rooms()
        await self._score_again(rooms)
        for wanted in rooms:
            self._resume(wanted)
        self._helpers.create_task(self._look(), name="supervisor")

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
        return self._past_restarts + sum(self._rooms[room].restarts.total for room in self._tasks)

    @property
    def now(self) -> float:
        """Seconds on the supervisor's clock."""
        return self._clock()

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
        self.admission.admit(name, self._cost(request), self._clock())

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
        self._check_webhooks(request, resolved)
        name, token = self._parts.hosted(request), ""
        if name is not None and (self._parts.room_tokens or ROOM_TOKEN in given):
            given, token = issue_token(given, resolved)
        room = f"r-{secrets.token_hex(8)}"
        with contextlib.ExitStack() as undo:
            if name is not None:
                self._take_name(name, room)
                undo.callback(self._hosted.pop, name)
            if reserved is not None:
                self.admission.release(reserved)
            self.admission.admit(room, self._cost(request), self._clock())
            undo.callback(self.admission.release, room)
            plain = request.model_copy(update={"secrets": {}})
            stored = stored_secrets(given, self._store.seal(given))
            wanted = WantedRoom(room, plain, stored, datetime.now(UTC))
            if reserved is None:
                await self.webhooks.remember(room, plain.webhooks, wanted.secrets)
                await self._journal.add(wanted)
            undo.pop_all()
        self._keys.put(request.idempotency_key, room)
        view = self.view(self._open(wanted, given, shown, lasting=reserved is not None))
        return CreatedRoom(**dict(view), token=token or None)

    def _take_name(self, name: str, room: str) -> None:
        """Keep the name of a hosted room until that is over; raises RefusedError for one in use."""
        if name in self._hosted:
            do = "leave that room first, or take another name"
            raise RefusedError("another room has this name", where=f"room:{name}", do=do)
        self._hosted[name] = room

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
        rooms = [self._rooms[one] for one in self._tasks if room in {None, one}]
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
        if (name := self._hosted_name(wanted.request)) is not None:
            self._hosted.setdefault(name, wanted.id)
        self._open(wanted, None, shown)

    def _hosted_name(self, request: RoomRequest) -> str | None:
        try:
            return self._parts.hosted(request)
        except SidecarError:
            # Its check says what is wrong.
            return None

    def _open(
        self,
        wanted: WantedRoom,
        given: Mapping[str, str] | None,
        shown: str,
        *,
        lasting: bool = False,
    ) -> SupervisedRoom:
        """``given`` are the secrets, None for those of the journal."""

        def begin(room: SupervisedRoom) -> Begin:
            self._parts.check(room.request)
            return self._begin(room, self._store.open(wanted.secrets) if given is None else given)

        def secret(name: str) -> str:
            if given is None:
                return self._secret(name, wanted.secrets[name])
            return self._references.resolve({name: given[name]})[name]

        self.webhooks.open_room(wanted.id, wanted.request.webhooks, secret)
        lasting |= is_standing(wanted.request) or self._hosted_name(wanted.request) is not None
        room = SupervisedRoom(
            wanted.id,
            wanted.request,
            shown,
            wanted.created,
            make=lambda: self._parts.make(wanted.request),
            begin=begin,
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

    def _begin(self, room: SupervisedRoom, secrets_now: Mapping[str, str]) -> Begin:
        """The first message of the room's next life."""
        resolved = self._references.resolve(secrets_now)
        begin = self._parts.begin(room.id, room.request, resolved)
        return begin.model_copy(update={"choices": room.choices})

    def _remember(self, room: str, choices: ParticipantChoices) -> None:
        """Keep the choices of participants for the next supervisor."""

        async def write() -> None:
            with Contained("choices of participants not kept", room=room):
                await self._journal.choose(room, choices)

        self._helpers.create_task(write(), name=f"choices {room}")

    async def _run(self, room: SupervisedRoom) -> None:
        try:
            with Contained("room failed", room=room.id):
                await room.run()
        finally:
            self.admission.release(room.id)
            self._past_restarts += room.restarts.total
            self._usage.pop(room.id, None)
            self._warned.discard(room.id)
            self._tasks.pop(room.id, None)
            name = self._hosted_name(room.request)
            if name is not None and self._hosted.get(name) == room.id:
                del self._hosted[name]
        if not self.draining and room.state.over and not self._failed(room):
            await self._forget(room)
            await self.webhooks.close_room(room.id)
        self._prune()

    def _check_webhooks(self, request: RoomRequest, resolved: Mapping[str, str]) -> None:
        """Raise ConfigError or RefusedError for a webhook that can't be delivered to."""
        for webhook in request.webhooks:
            check_host(host_of(webhook.url), self._options.webhooks.rule)
            if webhook.secret not in resolved:
                what = f"the secret {webhook.secret} is not given"
                raise ConfigError(what, where="webhooks", do="add it to secrets")
            signing_key(resolved[webhook.secret])

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
        try:
            await self._journal.remove(room.id)
        except SidecarError as error:
            log.error("room not removed from the journal", room=room.id, reason=str(error))

    def _prune(self) -> None:
        over = [room.id for room in self._rooms.values() if room.state.over]
        for room in over[:-KEPT_OVER]:
            del self._rooms[room]

    async def _leave_all(self, reason: str) -> None:
        async def leave(room: SupervisedRoom) -> None:
            with Contained("room not left", room=room.id):
                await room.leave(reason)

        await asyncio.gather(*(leave(self._rooms[room]) for room in self._tasks))
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    def _cost(self, request: RoomRequest) -> float:
        options, own = self._options, request.layout or RoomLayout()
        size = CompositeSize(
            own.width or options.composite.width,
            own.height or options.composite.height,
            own.fps or options.composite.fps,
        )
        rate = request.rate or options.rate
        return options.costs.room(options.expected_participants, rate, size=size)

    async def _look(self) -> None:
        """Measure all rooms, and leave or restart those that are beyond a limit."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            with Contained("load not measured"):
                await self._look_at_sampling()
            for room in list(self._tasks):
                with Contained("room not measured", room=room):
                    await self._look_at(self._rooms[room])

    async def _look_at_sampling(self) -> None:
        """Slow down sampling in all rooms alike under overload, and tell them."""
        before = self.sampling.factor
        factor = self.sampling.look(self._load_counts(), self._clock())
        if factor < before:
            log.warning("sampling slowed down", factor=round(factor, 2), reason="overload")
        if factor == before == 1.0:
            return

        async def slow_down(room: SupervisedRoom) -> None:
            # A room that is joining is reached next time.
            with contextlib.suppress(SidecarError, TimeoutError):
                await room.call(ChangeSampling(factor=factor))

        # Each time while it is slowed down: a room may have begun since.
        await asyncio.gather(*(slow_down(self._rooms[room]) for room in self._tasks))

    def _load_counts(self) -> LoadCounts:
        numbers, dropped = self.totals.numbers, self.totals.tables["dropped"]
        stats = None if self._parts.detector is None else self._parts.detector()
        return LoadCounts(
            rooms=len(self._tasks),
            begun=0 if stats is None else stats.begun,
            waited=0.0 if stats is None else stats.waited,
            samples=numbers["samples"],
            dropped=sum(dropped.get(reason, 0.0) for reason in OVERLOAD_DROPS),
            ticks=numbers["ticks"],
            late=numbers["late_ticks"],
        )

    async def _look_at(self, room: SupervisedRoom) -> None:
        limits = self._options.limits if self.draining else None
        if (reason := room.idle(limits)) is not None:
            await room.leave(reason)
            return
        usage = room.usage()
        if usage is None:
            self._usage.pop(room.id, None)
            return
        now = UsedSeconds(self._clock(), usage.cpu, room.stats.detection_seconds)
        before = self._usage.get(room.id)
        self._usage[room.id] = now
        if before is not None and (cores := now.cores(before, self.sampling.factor)) is not None:
            self.admission.measure(room.id, cores)
        await self._check_memory(room, usage.memory)

    async def _check_memory(self, room: SupervisedRoom, memory: int) -> None:
        warn, limit = self._options.memory_warn, self._options.memory_limit
        if limit and memory > limit:
            log.warning("room restarted", room=room.id, reason=f"{memory} bytes of {limit}")
            await room.restart(f"its process used {memory // 2**20} MiB")
        elif warn and memory > warn and room.id not in self._warned:
            self._warned.add(room.id)
            log.warning("room memory high", room=room.id, bytes=memory, limit=limit)


def changed_request(request: RoomRequest, patch: RoomPatch) -> RoomRequest:
    """How a room is wanted after ``patch``; of a layout, what is not given stays as well."""
    changed = patch.model_dump(exclude_none=True)
    if request.layout is not None and "layout" in changed:
        changed["layout"] = request.layout.model_dump(exclude_none=True) | changed["layout"]
    return RoomRequest.model_validate(request.model_dump() | changed)
