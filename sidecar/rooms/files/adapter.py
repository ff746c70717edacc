"""Files, webcams and network cameras as a meeting system of their own."""

from collections.abc import Sequence

import aiohttp

from sidecar.rooms.base import JoinOptions, Room
from sidecar.rooms.files.addresses import parse, recognises
from sidecar.rooms.files.room import RecordingRoom


class RecordingAdapter:
    """Implements ``Adapter``."""

    system = "recordings and cameras"
    forms: Sequence[str] = ("FILE", "FOLDER", "webcam:0", "rtsp://HOST/PATH")

    def recognises(self, url: str) -> bool:
        return recognises(url)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """There is no server to ask."""
        return recognises(url)

    def room(self, url: str, options: JoinOptions) -> Room:
        return RecordingRoom(parse(url))


ADAPTER = RecordingAdapter()
