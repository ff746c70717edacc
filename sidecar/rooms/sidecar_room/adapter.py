"""Rooms on another sidecar's server as a meeting system."""

from collections.abc import Sequence
from typing import Final

import aiohttp

from sidecar.rooms.base import Adapter, JoinOptions, Room
from sidecar.rooms.sidecar_room.address import is_room_url, parse_room_url
from sidecar.rooms.sidecar_room.room import SidecarRoom
from sidecar.rooms.whep.client.session import CallOptions

PROBLEM: Final = "application/problem+json"
TOKEN: Final = "ROOM_TOKEN"  # noqa: S105
"""The environment's variable with the room's token, where it has one."""


class SidecarRoomAdapter:
    """Implements ``Adapter``."""

    system = "Reaction Sidecar"
    forms: Sequence[str] = ("https://HOST/rooms/NAME",)

    def recognises(self, url: str) -> bool:
        return is_room_url(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """Our server describes where to watch a room, and says in its own way if there is none."""
        async with http.options(parse_room_url(url).composite, allow_redirects=False) as answer:
            if answer.status == 204:
                return answer.headers.get("Accept-Post") == "application/sdp"
            return answer.status in {401, 404} and answer.content_type == PROBLEM

    def room(self, url: str, options: JoinOptions) -> Room:
        how = CallOptions(options.ice_servers, options.relay_only)
        token = options.environ.get(TOKEN, "")
        return SidecarRoom(parse_room_url(url), options.name, how, token)


ADAPTER: Final[Adapter] = SidecarRoomAdapter()
