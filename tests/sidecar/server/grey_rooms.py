"""Hosted rooms without sessions: each is opened by its first client, and shows a grey picture."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from aiortc import RTCIceServer

from config.errors import HttpRefusalError
from sidecar.aio import Broadcast, Component
from sidecar.rooms.hosted.names import room_name
from sidecar.rooms.hosted.room import HostedRoom, check_sharing
from sidecar.rooms.hosted.sessions import Limits
from sidecar.server.room_directory import OpenRoom, SessionHandle


class GreyRooms(Component):
    """Implements ``RoomDirectory``; with ``fixed`` rooms there are these and no others."""

    def __init__(
        self,
        open_meeting: Callable[[HostedRoom], AbstractAsyncContextManager[SessionHandle]],
        *,
        fixed: Sequence[str] = (),
        limits: Limits | None = None,
        ice_servers: Sequence[RTCIceServer] = (),
        share_cameras: bool = False,
    ) -> None:
        self._open_meeting = open_meeting
        self._fixed = tuple(fixed)
        self._limits = limits
        self.ice_servers = tuple(ice_servers)
        self._share_cameras = share_cameras
        self._rooms: dict[str, OpenRoom] = {}
        self._opening = asyncio.Lock()
        self._changed = Broadcast()
        self._life = AsyncExitStack()
        self._closed = False

    @property
    def first(self) -> str:
        return self._fixed[0] if self._fixed else "main"

    async def start(self) -> None:
        for name in self._fixed:
            await self.enter(name)

    async def aclose(self) -> None:
        self._closed = True
        self._changed.notify()
        await self._life.aclose()

    def check(self, name: str) -> str:
        if self._fixed and name not in self._fixed:
            raise HttpRefusalError("no such room", status=404, do="check the address")
        return room_name(name)

    async def enter(self, name: str, client: str = "") -> OpenRoom:
        self.check(name)
        async with self._opening:
            if name not in self._rooms:
                room = HostedRoom(
                    name,
                    limits=self._limits,
                    ice_servers=self.ice_servers,
                    share_cameras=self._share_cameras,
                )
                meeting = await self._life.enter_async_context(self._open_meeting(room))
                self._rooms[name] = OpenRoom(room, meeting)
                self._changed.notify()
        return self._rooms[name]

    def find(self, name: str) -> OpenRoom:
        self.check(name)
        if name not in self._rooms:
            raise HttpRefusalError("this room is empty", status=404, do="join it first")
        return self._rooms[name]

    def is_open(self, name: str) -> bool:
        return name in self._rooms

    async def opened(self, name: str) -> OpenRoom:
        self.check(name)
        await self._changed.wait_for(lambda: self._closed or name in self._rooms)
        if self._closed:
            raise HttpRefusalError("the server is closing", status=503, do="try again later")
        return self.find(name)

    def check_sharing(self) -> None:
        check_sharing(self._share_cameras)
