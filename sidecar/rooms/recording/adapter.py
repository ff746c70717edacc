"""Files, webcams and network cameras as a meeting system of their own."""

from collections.abc import Sequence

import aiohttp

from sidecar.rooms.adapter import JoinOptions
from sidecar.rooms.recording.addresses import parse, recognises
from sidecar.rooms.recording.room import RecordingRoom
from sidecar.rooms.room import Room


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
