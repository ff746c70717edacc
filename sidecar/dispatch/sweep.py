"""Looks at the dispatches of one agent name at a LiveKit server."""

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
from sidecar.dispatch.room_turns import RoomTurns
from sidecar.rooms.livekit.room import IDENTITY, WATCHER

PAUSE: Final = 1.0
"""Seconds between two looks, at least."""
SHARE: Final = 4
"""A look that takes longer than ``PAUSE`` divided by this is followed by a longer pause, so that no
more than a fifth of the time is spent on asking. Looks are made so short that few are."""
LISTING: Final = 50
"""Where not all rooms fit into a look: they are listed again after as many times as that took."""
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

    room: str
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
        turns: RoomTurns | None = None,
    ) -> None:
        self.pause = PAUSE
        """Seconds until the next look."""
        self._api = api
        self._agent_name = agent_name
        self._watch = watch or AbandonedWatch()
        self._clock = clock
        self._turns = turns or RoomTurns(PAUSE / SHARE)
        self._rooms: Sequence[ListedRoom] = ()
        self._list_again = 0.0
        """When the rooms are listed again, on the clock."""
        self._looks = OWN_EVERY
        """Since the last one at the rooms of our own jobs."""

    async def look(self, own: Collection[DispatchedJob], server_now: float) -> LookResult:
        """Look at dispatches, but for those of ``own`` jobs; raises SidecarError."""
        begun = self._clock()
        fresh = await self._list(begun, self._turns.limit(len(own)))
        rooms = {room.name: room for room in self._rooms}
        asked = [rooms[name] for name in self._choose(rooms, {job.room for job in own}, fresh)]
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(room: ListedRoom) -> _InRoom | None:
            async with limit:
                return await self._in_room(room, [job for job in own if job.room == room.name])

        asking = self._clock()
        found = [some for some in await asyncio.gather(*map(one, asked)) if some is not None]
        now = self._clock()
        self._turns.took(len(asked), now - asking)
        self.pause = max(PAUSE, SHARE * (now - begun))
        others = [each for some in found for each in some.others]
        unasked = rooms.keys() - {some.room for some in found}
        abandoned = self._watch.look(others, now, server_now, unasked)
        return LookResult(tuple(abandoned), tuple(job for some in found for job in some.withdrawn))

    async def _list(self, now: float, limit: int) -> bool:
        """List the rooms, unless that was done not long ago; whether it was done."""
        if len(self._rooms) > limit and now < self._list_again:
            return False
        self._rooms = await self._api.rooms()
        listed = self._clock()
        self._list_again = listed + LISTING * (listed - now)
        return True

    def _choose(self, rooms: Collection[str], own: Collection[str], fresh: bool) -> list[str]:
        """The rooms of this look; those of our own jobs by a new list alone, as ``sid`` counts."""
        others = [name for name in rooms if name not in own]
        chosen = self._turns.take(others, self._watch.open, len(own))
        self._looks += 1
        if not fresh or self._looks < OWN_EVERY:
            return chosen
        self._looks = 0
        return chosen + [name for name in own if name in rooms]

    async def _in_room(self, room: ListedRoom, own: Sequence[DispatchedJob]) -> _InRoom | None:
        """What is found in ``room``; None where the server gave no answer."""
        try:
            found = await self._api.dispatches(room.name, self._agent_name)
            listed = {one.dispatch for one in found}
            withdrawn = [
                job for job in own if job.room_sid == room.sid and job.dispatch not in listed
            ]
            others = [one for one in found if one.dispatch not in {job.dispatch for job in own}]
            if not others:
                return _InRoom(room.name, (), withdrawn)
            identity = f"{IDENTITY}{WATCHER}-{room_suffix(self._agent_name, room.name)}"
            sign = await self._api.sign(room.name, identity)
        except SidecarError:
            # The room closed in between, or its server is too busy: the next look tells.
            return None
        return _InRoom(room.name, [ListedDispatch(one, sign) for one in others], withdrawn)
