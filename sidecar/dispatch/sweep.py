"""A look at all dispatches of one agent name at a LiveKit server."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from config.errors import SidecarError
from sidecar.dispatch.abandoned import AbandonedWatch, ListedDispatch
from sidecar.dispatch.dispatch_api import DispatchApi, ListedRoom, RoomDispatch
from sidecar.dispatch.job_metadata import room_suffix
from sidecar.dispatch.protocol import DispatchedJob
from sidecar.rooms.livekit.room import IDENTITY, WATCHER

PAUSE: Final = 1.0
"""Seconds between two looks, at least."""
SHARE: Final = 4
"""A look that takes longer than ``PAUSE`` divided by this is followed by a longer pause, so that no
more than a fifth of the time is spent on asking."""
OWN_EVERY: Final = 5
"""Looks of which one looks at the rooms of our own jobs too: a dispatch that is deleted there is
reported to us, unless the connection was lost at that time."""
AT_ONCE: Final = 8
"""Rooms that are asked for side by side."""


@dataclass(frozen=True, slots=True)
class LookResult:
    """What a look found."""

    abandoned: tuple[RoomDispatch, ...]
    """No server works on these."""
    withdrawn: tuple[DispatchedJob, ...]
    """Jobs of our own whose dispatch was deleted, which a lost connection kept from us. Those of a
    server that died and came back are none of them: its rooms are others, by their ``sid``."""


@dataclass(frozen=True, slots=True)
class _InRoom:
    """What was found in one room."""

    others: Sequence[ListedDispatch]
    withdrawn: Sequence[DispatchedJob]


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
        self._looks = 0

    async def look(self, own: Collection[DispatchedJob], server_now: float) -> LookResult:
        """Look at all dispatches, but for those of ``own`` jobs; raises SidecarError."""
        begun = self._clock()
        skipped = {job.room for job in own} if self._looks % OWN_EVERY else set()
        self._looks += 1
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(room: ListedRoom) -> _InRoom:
            async with limit:
                return await self._in_room(room, [job for job in own if job.room == room.name])

        rooms = [room for room in await self._api.rooms() if room.name not in skipped]
        found = await asyncio.gather(*map(one, rooms))
        now = self._clock()
        self.pause = max(PAUSE, SHARE * (now - begun))
        others = [each for some in found for each in some.others]
        withdrawn = tuple(job for some in found for job in some.withdrawn)
        return LookResult(tuple(self._watch.look(others, now, server_now)), withdrawn)

    async def _in_room(self, room: ListedRoom, own: Sequence[DispatchedJob]) -> _InRoom:
        try:
            found = await self._api.dispatches(room.name, self._agent_name)
            listed = {one.dispatch for one in found}
            withdrawn = [
                job for job in own if job.room_sid == room.sid and job.dispatch not in listed
            ]
            others = [one for one in found if one.dispatch not in {job.dispatch for job in own}]
            if not others:
                return _InRoom((), withdrawn)
            identity = f"{IDENTITY}{WATCHER}-{room_suffix(self._agent_name, room.name)}"
            sign = await self._api.sign(room.name, identity)
        except SidecarError:
            # The room closed in between, or its server is too busy: the next look tells.
            return _InRoom((), ())
        return _InRoom([ListedDispatch(one, sign) for one in others], withdrawn)
