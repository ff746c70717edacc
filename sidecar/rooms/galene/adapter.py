"""Galène's adapter: a group of a server, such as https://galene.org:8443/group/public/."""

from collections.abc import Sequence
from typing import Final

import aiohttp

from config.errors import ConfigError
from sidecar.rooms.base import Adapter, JoinOptions
from sidecar.rooms.galene.room import GaleneRoom
from sidecar.rooms.galene.transport import GaleneHttp, GaleneTimeouts
from sidecar.rooms.galene.url import (
    GROUP_URL_FORM,
    is_group_url,
    parse_group_url,
    read_credentials,
)


class GaleneAdapter:
    """Implements ``Adapter``."""

    @property
    def system(self) -> str:
        return "Galène"

    @property
    def forms(self) -> Sequence[str]:
        return (GROUP_URL_FORM,)

    def recognises(self, url: str) -> bool:
        return is_group_url(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        try:
            return await GaleneHttp(http, GaleneTimeouts()).is_galene(parse_group_url(url))
        except ConfigError:
            return False

    def room(self, url: str, options: JoinOptions) -> GaleneRoom:
        group = parse_group_url(url)
        credentials = read_credentials(options.name, options.environ, group.token)
        return GaleneRoom(group, credentials, options)


ADAPTER: Final[Adapter] = GaleneAdapter()
