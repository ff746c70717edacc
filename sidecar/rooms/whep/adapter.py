"""WHEP streams as a meeting system."""

from collections.abc import Sequence
from typing import Final

import aiohttp

from sidecar.rooms.base import Adapter, JoinOptions, Room
from sidecar.rooms.whep.addresses import is_stream, parse_streams
from sidecar.rooms.whep.client.session import CallOptions
from sidecar.rooms.whep.room import WhepRoom

TOKEN = "WHEP_TOKEN"  # noqa: S105
"""The environment's variable that holds a bearer token for the servers."""


class WhepAdapter:
    """Implements ``Adapter``."""

    system = "WHEP"
    forms: Sequence[str] = ("whep+https://HOST/PATH [whep+https://…]",)

    def recognises(self, url: str) -> bool:
        return is_stream(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """No other system has such addresses."""
        return is_stream(url)

    def room(self, url: str, options: JoinOptions) -> Room:
        addresses = parse_streams(url, options.environ.get(TOKEN, ""))
        return WhepRoom(addresses, CallOptions(options.ice_servers, options.relay_only))


ADAPTER: Final[Adapter] = WhepAdapter()
