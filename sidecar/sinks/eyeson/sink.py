"""Reactions as layers or playbacks of an eyeson meeting: ``eyeson://api.eyeson.team``."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from config.errors import ConfigError, SidecarError
from sidecar.aio import TaskSet, log_failure
from sidecar.session.events import ReactionStep, SessionEvent
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.eyeson.client import (
    BACKGROUND,
    FOREGROUND,
    LARGEST,
    EyesonClient,
    LayerImage,
    check_access_key,
)
from sidecar.sinks.eyeson.overlay import overlay
from sidecar.sinks.sink_url import SinkUrl

ACCESS_KEY: Final = "EYESON_ACCESS_KEY"
HOST: Final = "api.eyeson.team"
OPTIONS: Final = ("key", "image", "playback", "z-index", "seconds", "size")
CLEARING: Final = 1.0
"""Seconds to clear the layer, on closing."""
LABEL: Final = "{label}"
_SIZE: Final = re.compile(r"(\d{2,4})x(\d{2,4})")


@dataclass(frozen=True, slots=True)
class EyesonLook:
    """What a reaction looks like."""

    image: str = ""
    """URL of an image, with ``{label}``; empty uploads the label's sticker."""
    playback: str = ""
    """URL of a video, with ``{label}``, that is played in place of a layer."""
    z_index: str = FOREGROUND
    seconds: float = 4.0
    """How long a layer is shown at most."""
    size: tuple[int, int] = (1280, 720)
    """Pixels of uploaded layers."""
    stickers: Mapping[str, Path] = field(default_factory=dict)
    """Files by label."""


class EyesonSink:
    """Implements ``EventSink``: the newest reaction has the layer."""

    def __init__(self, client: EyesonClient, look: EyesonLook) -> None:
        self._client = client
        self._look = look
        self._shown: tuple[str, str] | None = None
        self._images: dict[str, LayerImage] = {}
        self._plays = 0
        self._tasks = TaskSet()

    @property
    def name(self) -> str:
        return "eyeson"

    async def start(self) -> None:
        await self._client.start()

    async def write(self, event: SessionEvent) -> None:
        """Show a reaction that starts, clear one that ends; raises RoomError, StickerError."""
        if not isinstance(event, ReactionStep):
            return
        reaction = (event.participant, event.event.label)
        if event.kind == "reaction.started":
            await self._show(*reaction)
        elif event.kind == "reaction.ended" and self._shown == reaction:
            await self._clear()

    async def aclose(self) -> None:
        """Clear the layer, and disconnect."""
        await self._tasks.aclose()
        try:
            async with asyncio.timeout(CLEARING):
                await self._clear()
        except (SidecarError, TimeoutError) as error:
            log_failure("layer not cleared", error, sink=self.name)
        finally:
            await self._client.aclose()

    async def _show(self, participant: str, label: str) -> None:
        look = self._look
        if look.playback:
            self._plays += 1
            url = look.playback.replace(LABEL, quote(label, safe=""))
            await self._client.play(url, play_id=f"sidecar-{self._plays}", name=label)
            return
        if look.image:
            url = look.image.replace(LABEL, quote(label, safe=""))
            await self._client.show_layer(url, look.z_index)
        elif (image := await self._image(label)) is not None:
            await self._client.upload_layer(image, look.z_index)
        else:
            return
        self._shown = (participant, label)
        self._tasks.create_task(self._clear_later(self._shown), name="eyeson layer")

    async def _image(self, label: str) -> LayerImage | None:
        path = self._look.stickers.get(label)
        if path is not None and label not in self._images:
            self._images[label] = await asyncio.to_thread(overlay, path, *self._look.size)
        return self._images.get(label)

    async def _clear_later(self, shown: tuple[str, str]) -> None:
        await asyncio.sleep(self._look.seconds)
        if self._shown is shown:
            await self._clear()

    async def _clear(self) -> None:
        if self._shown is not None:
            self._shown = None
            await self._client.clear_layer(self._look.z_index)


def eyeson_sink(url: str, options: SinkOptions) -> EyesonSink:
    """The sink of ``eyeson://HOST`` (``eyeson:`` is the public API); raises ConfigError.

    Options: ``key`` (a reference; else ``EYESON_ACCESS_KEY``), ``image`` or ``playback`` (a URL
    with ``{label}``), ``z-index`` (1 or -1), ``seconds``, ``size`` (WIDTHxHEIGHT).
    """
    parsed = SinkUrl.parse(url, OPTIONS)
    key = parsed.credential("key", ACCESS_KEY, options)
    if key is None:
        do = f"set {ACCESS_KEY}, or end the URL with #key=env:NAME"
        raise ConfigError(f"{parsed.shown!r} has no access key", where="--sink", do=do)
    given = parsed.options
    look = EyesonLook(
        image=_template(given, "image"),
        playback=_template(given, "playback"),
        z_index=_choice(given.get("z-index", FOREGROUND)),
        seconds=_seconds(given.get("seconds", "4")),
        size=_size(given.get("size", "1280x720")),
        stickers=options.stickers,
    )
    scheme = "http" if parsed.parts.scheme == "http" else "https"
    base = f"{scheme}://{parsed.parts.netloc or HOST}"
    return EyesonSink(EyesonClient(base, check_access_key(key), options.rule), look)


def _template(given: Mapping[str, str], name: str) -> str:
    url = given.get(name, "")
    if url and not re.match(r"https?://[^\s/]+/", url):
        do = "such as https://example.com/stickers/{label}.webp"
        raise ConfigError("it is no public address", where=name, do=do)
    return url


def _choice(text: str) -> str:
    if text not in {FOREGROUND, BACKGROUND}:
        raise ConfigError(f"{text!r} is no layer", where="z-index", do="1 (in front) or -1")
    return text


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,2}(\.\d+)?", text) or not 0.5 <= float(text) <= 60:
        raise ConfigError(f"{text!r} is no time", where="seconds", do="0.5 to 60")
    return float(text)


def _size(text: str) -> tuple[int, int]:
    found = _SIZE.fullmatch(text)
    if found is None or int(found[1]) > LARGEST[0] or int(found[2]) > LARGEST[1]:
        raise ConfigError(f"{text!r} is no size", where="size", do="1280x720 or 1280x960")
    return int(found[1]), int(found[2])
