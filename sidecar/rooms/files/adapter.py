"""Files, webcams and network cameras as a meeting system of their own."""

from collections.abc import Sequence
from typing import Final

import aiohttp

from sidecar.rooms.base import Adapter, JoinOptions, Room
from sidecar.rooms.files.addresses import is_recording, parse_recordings
from sidecar.rooms.files.room import FilesRoom


class FilesAdapter:
    """Implements ``Adapter``."""

    system = "recordings and cameras"
    forms: Sequence[str] = ("FILE", "FOLDER", "webcam:0", "rtsp://HOST/PATH")

    def recognises(self, url: str) -> bool:
        return is_recording(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """There is no server to ask."""
        return is_recording(url)

    def room(self, url: str, options: JoinOptions) -> Room:
        return FilesRoom(parse_recordings(url))


ADAPTER: Final[Adapter] = FilesAdapter()
