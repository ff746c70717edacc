"""Idempotency keys: one room a key, also where its requests come at the same time."""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from config.errors import InputError
from sidecar.supervisor.values import RoomRequest

STANDING: Final = re.compile(r"standing [0-9a-f]{16}")
"""Keys of the rooms that the settings name, by what they say of each."""
FIXED: Final = ("url", "name", "publish", "sinks", "webhooks")
"""Fields of a request that no later change of its room touches: by them a key is compared."""


def standing_key(settings: str) -> str:
    """The key of a standing room of which the settings say ``settings``."""
    return f"standing {hashlib.sha256(settings.encode()).hexdigest()[:16]}"


def is_standing(request: RoomRequest) -> bool:
    """Whether the settings asked for this room."""
    return STANDING.fullmatch(request.idempotency_key or "") is not None


class RoomKeys:
    """The room of each key. Belongs to one event loop."""

    def __init__(self) -> None:
        self._rooms: dict[str, str] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()

    def get(self, key: str | None) -> str | None:
        """The room of ``key``, if any."""
        return None if key is None else self._rooms.get(key)

    def put(self, key: str | None, room: str) -> None:
        """``room`` was made for ``key``."""
        if key is not None:
            self._rooms[key] = room

    def remove(self, key: str | None) -> None:
        """Forget ``key``, whose room is wanted no more."""
        if key is not None:
            self._rooms.pop(key, None)

    @asynccontextmanager
    async def turn(self, key: str | None) -> AsyncIterator[None]:
        """Enter when no other request with ``key`` is being answered; None waits for none."""
        if key is None:
            yield
            return
        self._waiting[key] += 1
        try:
            async with self._turns.setdefault(key, asyncio.Lock()):
                yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._turns[key]


def check_repeated(request: RoomRequest, made: RoomRequest) -> None:
    """Raise InputError 422 where ``request`` repeats the key of a room, but wants another."""
    other = [name for name in FIXED if getattr(request, name) != getattr(made, name)]
    if other:
        what = f"this key made a room with another {other[0]}"
        do = "take another key, or PATCH that room"
        raise InputError(what, status=422, where="Idempotency-Key", do=do)
