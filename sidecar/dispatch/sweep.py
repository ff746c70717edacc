"""A look at all dispatches of one agent name at a LiveKit server."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from config.errors import SidecarError
from sidecar.dispatch.abandoned import AbandonedWatch, ListedDispatch
from sidecar.dispatch.dispatch_api import DispatchApi, RoomDispatch
from sidecar.dispatch.job_metadata import room_suffix
from sidecar.rooms.livekit.room import IDENTITY, WATCHER

PAUSE: Final = 1.0
"""Seconds between two looks, at least."""
SHARE: Final = 4
"""A look that takes longer than ``PAUSE`` divided by this is followed by a longer pause, so that no
more than a fifth of the time is spent on asking."""
AT_ONCE: Final = 8
"""Rooms that are asked for side by side."""


class DispatchSweep:
    """Looks through the rooms of a server again and again: two requests a room at most."""

    def __init__(
        self,
        api: DispatchApi,
        agent_name: str,
        watch: AbandonedWatch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pause = PAUSE
        """Seconds until the next look."""
        self._api = api
        self._agent_name = agent_name
        self._watch = watch or AbandonedWatch()
        self._clock = clock

    async def look(self, own: Collection[str], server_now: float) -> Sequence[RoomDispatch]:
        """The dispatches that no server works on, ``own`` left out; raises SidecarError."""
        begun = self._clock()
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(room: str) -> Sequence[ListedDispatch]:
            async with limit:
                return await self._in_room(room, own)

        found = await asyncio.gather(*(one(room) for room in await self._api.rooms()))
        now = self._clock()
        self.pause = max(PAUSE, SHARE * (now - begun))
        return self._watch.look([each for some in found for each in some], now, server_now)

    async def _in_room(self, room: str, own: Collection[str]) -> Sequence[ListedDispatch]:
        try:
            found = await self._api.dispatches(room, self._agent_name)
            others = [one for one in found if one.dispatch not in own]
            if not others:
                return []
            identity = f"{IDENTITY}{WATCHER}-{room_suffix(self._agent_name, room)}"
            sign = await self._api.sign(room, identity)
        except SidecarError:
            # The room closed in between, or its server is too busy: the next look tells.
            return []
        return [ListedDispatch(one, sign) for one in others]
