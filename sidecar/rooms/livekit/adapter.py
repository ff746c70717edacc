"""The adapter of LiveKit: recognises its URLs and opens rooms."""

from collections.abc import Sequence
from typing import Final

import aiohttp

from sidecar.rooms.base import Adapter, JoinOptions
from sidecar.rooms.livekit.room import LiveKitRoom
from sidecar.rooms.livekit.tokens import access_from
from sidecar.rooms.livekit.transport import LiveKitTimeouts
from sidecar.rooms.livekit.url import FORMS, is_livekit_url, parse_livekit_url

MAX_ANSWER: Final = 512
"""Bytes that are read of a server's answer to a plain request: LiveKit's is ``OK``."""


class LiveKitAdapter:
    """Implements ``Adapter``."""

    def __init__(self, timeouts: LiveKitTimeouts | None = None) -> None:
        self._timeouts = timeouts

    @property
    def system(self) -> str:
        return "LiveKit"

    @property
    def forms(self) -> Sequence[str]:
        return FORMS

    def recognises(self, url: str) -> bool:
        return is_livekit_url(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """Whether the server answers as LiveKit's does: 401 without a token, with the reason."""
        server = parse_livekit_url(url).server
        async with http.get(f"http{server.removeprefix('ws')}/rtc/validate") as answer:
            said = await answer.content.read(MAX_ANSWER)
        return answer.status == 401 and b"permission" in said.lower()

    def room(self, url: str, options: JoinOptions) -> LiveKitRoom:
        address = parse_livekit_url(url)
        access = access_from(address, options.environ)
        return LiveKitRoom(address, access, options, timeouts=self._timeouts)


ADAPTER: Final[Adapter] = LiveKitAdapter()
