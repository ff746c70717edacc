"""A room in a Ray actor, as the server sees it: made or found by name, followed, ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ray
import structlog
from ray.exceptions import ActorDiedError, RayActorError, RayError

from config.errors import RoomError
from sidecar.aio import TaskSet
from sidecar.captured import failure_text
from sidecar.cluster.begin_changes import changed_begin
from sidecar.cluster.begin_seal import BeginSeal
from sidecar.cluster.environment import worker_environment
from sidecar.cluster.ray_connection import RayConnection
from sidecar.cluster.ray_detector import app_name
from sidecar.cluster.ray_room_actor import RoomActor
from sidecar.cluster.room_host import Attached, ReportBatch
from sidecar.supervisor.child_room import MAX_REPORTS, ReportQueue, raised_error
from sidecar.supervisor.control import (
    Begin,
    ChoicesReport,
    Operation,
    Raised,
    Returned,
    StateReport,
)
from sidecar.supervisor.handle import Report, Usage
from sidecar.supervisor.values import RoomState

log = structlog.get_logger(__name__)

CALLS: Final = 256
"""Calls of one actor at once; a server has a few under way."""
MAX_RESTARTS: Final = 16
"""Times that Ray starts an actor again by itself. Then the server makes another, if it runs."""
POLL: Final = 2.0
"""Seconds that a room may have nothing to report before it answers."""
AGAIN: Final = 0.2
"""Seconds between two attempts to reach an actor that is being started again."""


@dataclass(frozen=True, slots=True)
class ActorLimits:
    """What is expected of a room's actor. Times are in seconds."""

    call: float = 5.0
    """Until an operation must be answered."""
    leave: float = 5.0
    """Until a room that was asked to leave must have ended."""
    silence: float = 10.0
    """Without an answer until an actor counts as hanging, and is started again."""
    start: float = 90.0
    """Until a node must have taken the actor and answer; as for a child process."""
    gone: float = 10.0
    """Until the name of an actor that was ended must be free."""
    orphaned: float = 300.0
    """Without a server until a room leaves by itself."""
    cpus: float = 0.25
    """That Ray reserves; admission counts what rooms really use."""


class ActorRoom:
    """A ``RoomHandle`` whose life is an actor's, also across its restarts on other nodes.

    The room goes on where the server ends without closing it, and the next server's handle of the
    same room finds it.
    """

    def __init__(
        self, connection: RayConnection, key_file: Path, limits: ActorLimits | None = None
    ) -> None:
        self._connection = connection
        self._key_file = key_file
        self._seal = BeginSeal.from_file(key_file)
        self._limits = limits or ActorLimits()
        self._reports = ReportQueue(MAX_REPORTS)
        self._tasks = TaskSet(on_failure=lambda _: self._reports.end())
        self._begin: Begin | None = None
        self._actor: Any = None
        self._attached: Attached | None = None
        self._usage: Usage | None = None
        self._lives = 0
        self._taken_over = False

    @property
    def pid(self) -> int | None:
        return None if self._attached is None or self._reports.ended else self._attached.pid

    async def start(self, begin: Begin) -> None:
        self._begin = begin
        try:
            async with asyncio.timeout(self._limits.start):
                self._actor = await self._connection.run(self._make, begin)
        except (RayError, ValueError, TimeoutError, ConnectionError) as error:
            what = f"the room's actor can't be made: {failure_text(error)[:300]}"
            raise RoomError(what, where=begin.room, do="look at the cluster: ray status") from error
        self._tasks.create_task(self._follow(self._actor), name=f"room {begin.room}")

    async def reports(self) -> AsyncIterator[Report]:
        async for report in self._reports:
            yield report

    async def call(self, operation: Operation) -> Any:
        name = "" if self._begin is None else self._begin.room
        if self._begin is None or self._reports.ended:
            raise RoomError("the room is over", where=name)
        if self._attached is None or self._actor is None:
            raise RoomError("the room is starting", where=name, do="try again soon")
        try:
            async with asyncio.timeout(self._limits.call):
                answer: Returned | Raised = await self._actor.call.remote(operation)
        except RayError as error:
            raise RoomError("the room's process ended", where=name) from error
        if isinstance(answer, Raised):
            raise raised_error(answer)
        self._begin = changed_begin(self._begin, operation)
        return answer.result

    def usage(self) -> Usage | None:
        return None if self.pid is None else self._usage

    async def aclose(self) -> None:
        actor, self._actor = self._actor, None
        if actor is not None and not self._taken_over:
            if self.pid is not None:
                await self._leave(actor)
            await self._end_actor(actor)
        await self._tasks.aclose()
        self._reports.end()

    async def _leave(self, actor: Any) -> None:
        """Let the room leave, and take its last report."""
        with contextlib.suppress(RayError, TimeoutError):
            async with asyncio.timeout(self._limits.leave):
                await actor.leave.remote()
                await self._reports.wait_ended()

    async def _end_actor(self, actor: Any) -> None:
        """End the actor, and wait until another may have its name."""
        assert self._begin is not None
        name = actor_name(self._begin.room)
        try:
            async with asyncio.timeout(self._limits.gone):
                await self._connection.run(ray.kill, actor, no_restart=True)
                while await self._connection.run(self._find, name) is not None:  # noqa: ASYNC110
                    await asyncio.sleep(AGAIN)
        except (RayError, TimeoutError) as error:
            log.warning("actor not ended", room=self._begin.room, reason=failure_text(error)[:300])

    def _find(self, name: str) -> Any:
        try:
            return ray.get_actor(name, namespace=self._connection.namespace)
        except ValueError:
            return None

    def _make(self, begin: Begin) -> Any:
        """The actor of this room, made where there is none."""
        limits = self._limits
        made = ray.remote(RoomActor).options(
            name=actor_name(begin.room),
            namespace=self._connection.namespace,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=MAX_RESTARTS,
            max_task_retries=0,
            max_concurrency=CALLS,
            num_cpus=limits.cpus,
            scheduling_strategy="SPREAD",
            runtime_env=worker_environment(),
        )
        app = app_name(self._connection.namespace)
        return made.remote(self._seal.seal(begin), self._key_file, app, limits.orphaned)

    async def _follow(self, actor: Any) -> None:
        """Read the actor's reports until it has no more, is dead, or another server reads."""
        try:
            while await self._read_life(actor):  # noqa: ASYNC110 - another process
                await asyncio.sleep(AGAIN)
        finally:
            self._reports.end()

    async def _read_life(self, actor: Any) -> bool:
        """Attach, and read until the process is lost; False where there will be no other."""
        try:
            if (attached := await self._attach(actor)) is None:
                return False
            after = 0
            while (batch := await self._next_batch(actor, attached.reader, after)) is not None:
                for one in batch.reports:
                    self._take(one.report)
                    after = one.number
                self._usage = batch.usage
                if batch.ended:
                    return False
            self._taken_over = True
            reason = "another server has taken the room over"
            self._reports.put(StateReport(state=RoomState.FAILED, reason=reason, final=True))
            return False
        except ActorDiedError as error:
            self._lose(error)
            return False
        except (RayActorError, TimeoutError) as error:
            self._lose(error)
            return True

    def _take(self, report: Report) -> None:
        if isinstance(report, ChoicesReport) and self._begin is not None:
            # The actor's next life begins with them.
            self._begin = self._begin.model_copy(update={"choices": report.choices})
        self._reports.put(report)

    async def _attach(self, actor: Any) -> Attached | None:
        """Read from now on; None where the actor's node can't run the room."""
        assert self._begin is not None
        sealed = self._seal.seal(self._begin)
        async with asyncio.timeout(self._limits.start):
            answer: Attached | Raised = await actor.attach.remote(sealed)
        if isinstance(answer, Raised):
            reason = str(raised_error(answer))
            self._reports.put(StateReport(state=RoomState.REJOINING, reason=reason))
            return None
        self._attached = answer
        again = {"restarted": True} if self._lives else {}
        self._lives += 1
        self._reports.put(answer.state.model_copy(update=again))
        return answer

    async def _next_batch(self, actor: Any, reader: int, after: int) -> ReportBatch | None:
        try:
            async with asyncio.timeout(self._limits.silence):
                batch: ReportBatch | None = await actor.follow.remote(reader, after, POLL)
                return batch
        except TimeoutError:
            log.warning("actor hangs", room=self._begin and self._begin.room)
            async with asyncio.timeout(self._limits.gone):
                await self._connection.run(ray.kill, actor, no_restart=False)
            raise

    def _lose(self, error: Exception) -> None:
        if self._attached is None:
            return
        self._attached = self._usage = None
        reason = "the room's process or its node ended"
        log.warning("actor lost", room=self._begin and self._begin.room, reason=str(error)[:300])
        self._reports.put(StateReport(state=RoomState.REJOINING, reason=reason))


def actor_name(room: str) -> str:
    """The name of a room's actor in the server's namespace."""
    return f"room:{room}"
