"""One room as a named actor: how Ray runs a ``RoomHost``.

Its arguments are all that it needs to join the meeting again where Ray starts it after the death of
its node; the first message is sealed.
"""

import asyncio
import os
from pathlib import Path
from typing import Final

import ray
import structlog

from config.errors import SidecarError
from sidecar.aio import TaskSet
from sidecar.cluster.begin_seal import SAME_FILE, BeginSeal
from sidecar.cluster.parent_watch import end_with_parent
from sidecar.cluster.ray_detector import ReplicaCalls
from sidecar.cluster.remote_detector import RemoteDetector
from sidecar.cluster.room_host import Attached, ReportBatch, RoomHost
from sidecar.logs import configure
from sidecar.supervisor.control import Begin, Operation, Raised, Returned, raised_message
from sidecar.supervisor.room_runner import room_settings

log = structlog.get_logger(__name__)

SLOTS: Final = 2
"""Samples of one room that are detected at once, as of a room in a process beside the workers."""


class RoomActor:
    """Joins the room of ``sealed`` when it is made, and reports to a server that attaches.

    ``key_file`` opens ``sealed``; ``app`` is the application that detects; a room that no server
    has asked for ``orphaned_after`` seconds leaves and ends.
    """

    async def __init__(  # type: ignore[misc]  # Ray awaits it.
        self, sealed: bytes, key_file: Path, app: str, orphaned_after: float
    ) -> None:
        end_with_parent()
        self._tasks = TaskSet()
        self._host: RoomHost | None = None
        self._key_file = key_file
        self._failure: SidecarError | None = None
        try:
            begin = self._open(sealed)
            configure(room_settings(begin).log)
            structlog.contextvars.bind_contextvars(room=begin.room)
            detector = RemoteDetector(ReplicaCalls(app), begin.room, slots=SLOTS)
            host = RoomHost(begin, detector, environ=os.environ)
            await host.start()
            self._host = host
        except SidecarError as error:
            log.error("room not begun", reason=str(error))
            self._failure = error
        self._tasks.create_task(self._end_orphaned(orphaned_after), name="orphaned room")

    async def attach(self, sealed: bytes) -> Attached | Raised:
        """As ``RoomHost.attach``; Raised where this node can't run the room."""
        try:
            if self._failure is not None or self._host is None:
                return raised_message(0, self._failure or SidecarError("the room is over"))
            return await self._host.attach(self._open(sealed))
        except SidecarError as error:
            return raised_message(0, error)

    async def follow(self, reader: int, after: int, seconds: float) -> ReportBatch | None:
        """As ``RoomHost.follow``."""
        return None if self._host is None else await self._host.follow(reader, after, seconds)

    async def call(self, operation: Operation) -> Returned | Raised:
        """As ``RoomHost.call``."""
        try:
            if self._host is None:
                return raised_message(0, SidecarError("the room is over"))
            return Returned(number=0, result=await self._host.call(operation))
        except SidecarError as error:
            return raised_message(0, error)

    async def leave(self) -> None:
        """Leave the meeting; the server ends the actor then."""
        if self._host is not None:
            await self._host.aclose()

    def _open(self, sealed: bytes) -> Begin:
        try:
            return BeginSeal.from_file(self._key_file).open(sealed)
        except SidecarError as error:
            node = ray.util.get_node_ip_address()
            raise type(error)(error.what, where=f"{error.where} on {node}", do=SAME_FILE) from None

    async def _end_orphaned(self, seconds: float) -> None:
        if self._host is not None:
            await self._host.wait_orphaned(seconds)
            log.warning("room left", reason=f"no server asked for it in {seconds:g} s")
            await self._host.aclose()
        else:
            await asyncio.sleep(seconds)
        own = ray.get_runtime_context().current_actor
        await asyncio.to_thread(ray.kill, own, no_restart=True)
