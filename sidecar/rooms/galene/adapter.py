"""Galène's adapter: a group of a server like https://galene.org:8443/group/public/."""

from collections.abc import Sequence

import aiohttp

from config.errors import ConfigError
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.galene.address import FORM, looks_like_group, read_address
from sidecar.rooms.galene.credentials import read_credentials
from sidecar.rooms.galene.door import speaks_galene
from sidecar.rooms.galene.room import GaleneRoom


class GaleneAdapter:
    """Implements ``Adapter``."""

    @property
    def system(self) -> str:
        return "Galène"

    @property
    def forms(self) -> Sequence[str]:
        return (FORM,)

    def recognises(self, url: str) -> bool:
        return looks_like_group(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        try:
            return await speaks_galene(http, read_address(url))
        except ConfigError:
            return False

    def room(self, url: str, options: JoinOptions) -> GaleneRoom:
        address = read_address(url)
        credentials = read_credentials(options.name, options.environ, address.token)
        return GaleneRoom(address, credentials, options)


ADAPTER = GaleneAdapter()
