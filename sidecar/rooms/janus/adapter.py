"""The adapter of Janus: VideoRooms by ``janus://HOST/ROOM``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from config.errors import ConfigError
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.janus.room import JanusRoom
from sidecar.rooms.janus.transport import JanusTimeouts
from sidecar.rooms.janus.url import JANUS_FORMS, JanusUrl


@dataclass(frozen=True, slots=True)
class JanusAdapter:
    """Implements ``Adapter``."""

    timeouts: JanusTimeouts = field(default_factory=JanusTimeouts)

    @property
    def system(self) -> str:
        return "Janus"

    @property
    def forms(self) -> Sequence[str]:
        return JANUS_FORMS

    def recognises(self, url: str) -> bool:
        return JanusUrl.matches(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """No other system has these schemes: the server is not asked."""
        return JanusUrl.matches(url)

    def room(self, url: str, options: JoinOptions) -> JanusRoom:
        pin = environment_secret(options.environ, "JANUS_PIN")
        return JanusRoom(
            JanusUrl.parse(url, pin),
            options,
            token=environment_secret(options.environ, "JANUS_TOKEN"),
            secret=environment_secret(options.environ, "JANUS_API_SECRET"),
            timeouts=self.timeouts,
        )


ADAPTER: Final = JanusAdapter()


def environment_secret(environ: Mapping[str, str], name: str) -> str:
    """The value of ``name``, or the content of the file that ``name_FILE`` names; else "".

    It is read for each room, so that an expired token can be replaced in its file.
    """
    file = environ.get(f"{name}_FILE")
    if name in environ or not file:
        return environ.get(name, "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        what = f"can't be read: {error}"
        raise ConfigError(what, where=f"{name}_FILE", do="name a readable file") from error
