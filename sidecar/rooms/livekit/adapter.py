"""LiveKit's adapter: the addresses it takes, and rooms for them."""

from collections.abc import Sequence
from typing import Final

import aiohttp

from sidecar.rooms.base import Adapter, JoinOptions
from sidecar.rooms.livekit.access import access_from
from sidecar.rooms.livekit.address import FORMS, looks_like_livekit, parse_address
from sidecar.rooms.livekit.memory import Memory
from sidecar.rooms.livekit.room import LiveKitRoom

MAX_ANSWER: Final = 512


class LiveKitAdapter:
    """Implements ``Adapter``; what has to outlast a room is in its memory."""

    def __init__(self) -> None:
        self._memory = Memory()

    @property
    def system(self) -> str:
        return "LiveKit"

    @property
    def forms(self) -> Sequence[str]:
        return FORMS

    def recognises(self, url: str) -> bool:
        return looks_like_livekit(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """Whether the server has LiveKit's way in: without a token it answers 401, and says why."""
        server = parse_address(url).server
        async with http.get(f"http{server.removeprefix('ws')}/rtc/validate") as answer:
            said = await answer.content.read(MAX_ANSWER)
        return answer.status == 401 and b"permission" in said.lower()

    def room(self, url: str, options: JoinOptions) -> LiveKitRoom:
        address = parse_address(url)
        return LiveKitRoom(address, access_from(address, options.environ), options, self._memory)


ADAPTER: Final[Adapter] = LiveKitAdapter()
