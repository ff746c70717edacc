"""WHEP streams as a meeting system."""

from collections.abc import Sequence

import aiohttp

from sidecar.rooms.base import JoinOptions, Room
from sidecar.rooms.whep.addresses import parse, recognises
from sidecar.rooms.whep.client.session import CallOptions
from sidecar.rooms.whep.room import WhepRoom

TOKEN = "WHEP_TOKEN"  # noqa: S105
"""The environment's variable that holds a bearer token for the servers."""


class WhepAdapter:
    """Implements ``Adapter``."""

    system = "WHEP"
    forms: Sequence[str] = ("whep+https://HOST/PATH [whep+https://…]",)

    def recognises(self, url: str) -> bool:
        return recognises(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """No other system has such addresses."""
        return recognises(url)

    def room(self, url: str, options: JoinOptions) -> Room:
        addresses = parse(url, options.environ.get(TOKEN, ""))
        return WhepRoom(addresses, CallOptions(options.ice_servers, options.relay_only))


ADAPTER = WhepAdapter()
