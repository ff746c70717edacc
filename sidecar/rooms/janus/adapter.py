"""Janus VideoRooms, for ``sidecar join janus://HOST/ROOM``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp

from config.errors import ConfigError
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.janus.address import FORMS, read, recognises
from sidecar.rooms.janus.room import JanusRoom


class JanusAdapter:
    """Implements ``Adapter``."""

    @property
    def system(self) -> str:
        return "Janus"

    @property
    def forms(self) -> Sequence[str]:
        return FORMS

    def recognises(self, url: str) -> bool:
        return recognises(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """No other system has such addresses, so that nobody has to be asked."""
        return recognises(url)

    def room(self, url: str, options: JoinOptions) -> JanusRoom:
        pin = secret(options.environ, "JANUS_PIN")
        return JanusRoom(
            read(url, pin),
            options,
            token=secret(options.environ, "JANUS_TOKEN"),
            secret=secret(options.environ, "JANUS_API_SECRET"),
        )


ADAPTER: Final = JanusAdapter()


def secret(environ: Mapping[str, str], name: str) -> str:
    """The value of ``name``, or what is in the file that ``name_FILE`` names; else nothing.

    Read anew for every room, so that a token that expires may be replaced in its file.
    """
    file = environ.get(f"{name}_FILE")
    if name in environ or not file:
        return environ.get(name, "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        what = f"can't be read: {error}"
        raise ConfigError(what, where=f"{name}_FILE", do="name a readable file") from error
