"""The requests of eyeson's API that show something in a meeting.

Source: docs.eyeson.com, REST references "Layers" and "Playbacks". The access key of a meeting
stands in the path of each request: it is never shown.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from config.errors import ConfigError, RefusedError, RoomError
from sidecar.addresses import AddressRule, guarded_session
from sidecar.aio import Component

ANSWER: Final = 5.0
"""Seconds that an answer may take."""
FOREGROUND: Final = "1"
BACKGROUND: Final = "-1"
LARGEST: Final = (1280, 960)
"""Pixels of a meeting's picture; a larger overlay is answered 400."""
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,256}")


@dataclass(frozen=True, slots=True)
class LayerImage:
    """An image that is uploaded."""

    name: str
    data: bytes
    content_type: str
    """``image/webp``, ``image/png`` or ``image/jpeg``; the last has no transparency."""


def check_access_key(key: str) -> str:
    """``key``, if it may stand in a path; raises ConfigError."""
    if not _KEY.fullmatch(key):
        what = "an access key has 8 letters or more, digits, - and _"
        raise ConfigError(what, where="eyeson access key", do="take it from the meeting's data")
    return key


class EyesonClient(Component):
    """Layers and playbacks of one meeting; raises RoomError where the API refuses.

    RefusedError is for 404 and 410: the meeting is over, or the key is not one of it.
    """

    def __init__(self, base: str, key: str, rule: AddressRule = AddressRule.PUBLIC) -> None:
        """``base`` is the API's address, such as ``https://api.eyeson.team``."""
        self._base = base.rstrip("/")
        self._room = f"{self._base}/rooms/{check_access_key(key)}"
        self._rule = rule
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._http = guarded_session(self._rule, timeout=aiohttp.ClientTimeout(total=ANSWER))

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def upload_layer(self, image: LayerImage, z_index: str = FOREGROUND) -> None:
        """Show ``image`` in front of all participants, or behind them."""
        form = aiohttp.FormData()
        form.add_field("file", image.data, filename=image.name, content_type=image.content_type)
        form.add_field("z-index", z_index)
        await self._request("POST", "layers", data=form)

    async def show_layer(self, url: str, z_index: str = FOREGROUND) -> None:
        """As ``upload_layer``, of an image at a public address."""
        await self._request("POST", "layers", data={"url": url, "z-index": z_index})

    async def clear_layer(self, z_index: str = FOREGROUND) -> None:
        """Remove what is shown in a layer."""
        await self._request("DELETE", f"layers/{z_index}")

    async def play(self, url: str, *, play_id: str, name: str) -> None:
        """Play a WebM, MP4 or MP3 at a public address once, without sound."""
        values = {"url": url, "play_id": play_id, "name": name, "audio": False, "loop_count": 0}
        await self._request("POST", "playbacks", json=values)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        data: aiohttp.FormData | Mapping[str, str] | None = None,
        json: Mapping[str, object] | None = None,
    ) -> None:
        http = self._http
        if http is None:
            raise RoomError("the sink is closed", where=self._base)
        try:
            async with (
                asyncio.timeout(ANSWER),
                http.request(
                    method, f"{self._room}/{path}", allow_redirects=False, data=data, json=json
                ) as answer,
            ):
                status = answer.status
        except TimeoutError as error:
            raise RoomError(f"no answer within {ANSWER:g} s", where=self._base) from error
        except (aiohttp.ClientError, OSError) as error:
            # The text of some of these errors has the path, and with it the key.
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise RoomError(f"can't be reached: {reason}", where=self._base) from error
        if status in (404, 410):
            do = "start again with the access key of a meeting that goes on"
            raise RefusedError(f"{path} answered {status}", where=self._base, do=do)
        if not 200 <= status < 300:
            raise RoomError(f"{path} answered {status}", where=self._base)
