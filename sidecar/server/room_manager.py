"""The hosted rooms of one server: opened with the first client, closed when empty."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias

import structlog
from aiortc import RTCIceServer

from config.errors import HttpRefusalError, SidecarError
from sidecar.aio import (
    Broadcast,
    Component,
    Contained,
    TaskSet,
    run_until_first,
    undo_on_failure,
)
from sidecar.rooms.hosted.names import room_name
from sidecar.rooms.hosted.room import HostedRoom, check_sharing
from sidecar.rooms.hosted.sessions import Limits
from sidecar.server.room_directory import OpenRoom, SessionHandle

log = structlog.get_logger(__name__)

IDLE: Final = 60.0
"""Seconds without publishers, viewers and listeners after which a room is closed by default: each
open one draws and encodes 25 pictures a second."""


SessionFactory: TypeAlias = Callable[[HostedRoom], AbstractAsyncContextManager[SessionHandle]]
"""Makes the session of a room; entering it enters the room."""


class RoomManager(Component):
    """Implements ``RoomDirectory``: opens rooms by name, at most ``max_rooms`` at once, and a
    session in each with ``open_meeting``.

    With ``fixed`` rooms there are these and no others, open from start to close. Without, every
    valid name opens a room, which is closed once it has been empty for ``idle`` seconds.
    """

    def __init__(
        self,
        open_meeting: SessionFactory,
        *,
        fixed: Sequence[str] = (),
        max_rooms: int = 16,
        limits: Limits | None = None,
        ice_servers: Sequence[RTCIceServer] = (),
        share_cameras: bool = False,
        idle: float = IDLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_meeting = open_meeting
        self._fixed = tuple(room_name(name) for name in fixed)
        self._max_rooms = max(max_rooms, len(self._fixed))
        self._limits = limits
        self.ice_servers = tuple(ice_servers)
        self._share_cameras = share_cameras
        self._idle = idle
        self._clock = clock
        self._rooms: dict[str, asyncio.Future[OpenRoom]] = {}
        self._openers: dict[str, str] = {}
        """The client that opened each room."""
        self._hosts = TaskSet()
        self._changed = Broadcast()
        self._open = False

    @property
    def first(self) -> str:
        """The room for a request that names none."""
        return self._fixed[0] if self._fixed else "main"

    def __len__(self) -> int:
        return len(self._rooms)

    async def start(self) -> None:
        """Open the fixed rooms; raises what opening them raises."""
        self._open = True
        async with undo_on_failure(self.aclose):
            for name in self._fixed:
                await self.enter(name)

    async def aclose(self) -> None:
        """Leave all rooms, and open no more."""
        self._open = False
        self._changed.notify()
        await self._hosts.aclose()

    def check(self, name: str) -> str:
        """``name`` if there is, or may be, such a room; raises HttpRefusalError 404."""
        if self._fixed and name not in self._fixed:
            raise HttpRefusalError("no such room", status=404, do="check the address")
        return room_name(name)

    async def enter(self, name: str, client: str = "") -> OpenRoom:
        """The room ``name``, opened for ``client`` if it isn't.

        Raises HttpRefusalError 404 or 503, and 429 where ``client`` opened two rooms that are
        half of all.
        """
        self.check(name)
        if not self._open:
            raise HttpRefusalError("the server is closing", status=503, do="try again later")
        if name not in self._rooms:
            if len(self._rooms) >= self._max_rooms:
                what = f"all {self._max_rooms} rooms are in use"
                raise HttpRefusalError(what, status=503, do="try again when one is free")
            self._check_share(client)
            self._rooms[name] = asyncio.get_running_loop().create_future()
            self._openers[name] = client
            self._hosts.create_task(self._host(name, self._rooms[name]), name=f"host {name}")
        return await asyncio.shield(self._rooms[name])

    def _check_share(self, client: str) -> None:
        limit = max(2, self._max_rooms // 2)
        if client and list(self._openers.values()).count(client) >= limit:
            what = f"this address opened {limit} rooms, as many as one may"
            raise HttpRefusalError(what, status=429, do="leave one first")

    def find(self, name: str) -> OpenRoom:
        """The room ``name`` if it is open; raises HttpRefusalError 404 where it is not."""
        self.check(name)
        opening = self._rooms.get(name)
        if opening is None or not opening.done():
            raise HttpRefusalError("this room is empty", status=404, do="join it first")
        return opening.result()

    def is_open(self, name: str) -> bool:
        """Whether there is such a room now."""
        opening = self._rooms.get(name)
        return opening is not None and opening.done() and opening.exception() is None

    async def opened(self, name: str) -> OpenRoom:
        """The room ``name`` once a client has opened it, which this does not.

        Raises HttpRefusalError 404 where there can't be such a room, 503 when the server closes.
        """
        self.check(name)
        await self._changed.wait_for(lambda: not self._open or self.is_open(name))
        if not self._open:
            raise HttpRefusalError("the server is closing", status=503, do="try again later")
        return self.find(name)

    def check_sharing(self) -> None:
        """Raise HttpRefusalError 403 where the rooms do not share their cameras."""
        check_sharing(self._share_cameras)

    async def _host(self, name: str, opening: asyncio.Future[OpenRoom]) -> None:
        """One room's life, in one task."""
        room = HostedRoom(
            name,
            limits=self._limits,
            ice_servers=self.ice_servers,
            share_cameras=self._share_cameras,
            clock=self._clock,
        )
        try:
            with Contained("room failed", room=name) as attempt:
                async with self._open_meeting(room) as meeting:
                    log.info("room opened", room=name)
                    opening.set_result(OpenRoom(room, meeting))
                    self._changed.notify()
                    await self._attend(opening.result(), forever=name in self._fixed)
            if attempt.error is not None and not opening.done():
                opening.set_exception(_public(attempt.error))
        finally:
            del self._rooms[name], self._openers[name]
            if not opening.done():
                opening.set_exception(HttpRefusalError("the server is closing", status=503))
            # Read once, since there may be no client left that asks for it.
            opening.exception()
            log.info("room closed", room=name)

    async def _attend(self, open_room: OpenRoom, *, forever: bool) -> None:
        """Return when the meeting is over, or the room has been empty for a while."""
        if forever:
            await open_room.meeting.ended()
        else:
            await run_until_first(open_room.meeting.ended(), self._wait_idle(open_room))

    async def _wait_idle(self, open_room: OpenRoom) -> None:
        busy_at = self._clock()
        while open_room.busy or self._clock() - busy_at <= self._idle:
            if open_room.busy:
                busy_at = self._clock()
            await asyncio.sleep(self._idle / 12)


def _public(error: Exception) -> Exception:
    """What a client may know of an error that kept a room from opening."""
    if isinstance(error, SidecarError):
        return error
    return HttpRefusalError("the room can't be opened", status=503, do="see the server's log")
