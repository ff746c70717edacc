"""A real Chromium, and what it takes for a camera."""

import asyncio
import contextlib
import io
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.async_api import Browser, Locator, Page, async_playwright

from reactions.mannequin import POSES, Person, Scene, render
from reactions.mannequin.choreography import idle, pose_named

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000
"""Milliseconds that a busy machine may take for what a page does at once."""
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The path of a Chromium (``CHROMIUM`` or on the path); skips the test where there is none."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium here: install it, or let CHROMIUM name it")
    return path


@asynccontextmanager
async def launched(*flags: str) -> AsyncIterator[Browser]:
    """A headless Chromium with an empty profile."""
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            await browser.close()


class SharedBrowser:
    """A headless Chromium for many tests; it is started by the first, and again after a crash."""

    def __init__(self, *flags: str) -> None:
        self._flags = flags
        self._life = AsyncExitStack()
        self._browser: Browser | None = None

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Browser]:
        """The browser for one test, without what earlier ones opened or stored."""
        if self._browser is None or not self._browser.is_connected():
            await self._life.aclose()
            self._browser = await self._life.enter_async_context(launched(*self._flags))
        try:
            yield self._browser
        finally:
            for context in self._browser.contexts:
                await context.close()

    async def aclose(self) -> None:
        await self._life.aclose()


def kill_browsers() -> None:
    """Kill each browser that this process started, as a crash would: it closes no session."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "chrom" in process.name():
                process.kill()


def camera_file(
    folder: Path, person: Person, pose: str, fps: int = 15, *, seconds: int = 2
) -> Path:
    """A Y4M file that Chromium plays in a loop as its camera: a few seconds of a mannequin."""
    path = folder / f"{pose}.y4m"
    moments = [
        render(person, idle(POSES[pose], moment / 5), Scene(), 640, 360, seed=moment)
        for moment in range(6)
    ]
    planes = [b"FRAME\n" + _planes(moment) for moment in moments]
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H360 F%d:1 Ip A1:1 C420jpeg\n" % fps)
        for tick in range(seconds * fps):
            file.write(planes[tick * len(planes) // (2 * fps) % len(planes)])
    return path


def acted_camera_file(path: Path, person: Person, acts: Sequence[tuple[str, float]]) -> Path:
    """The same of several poses, one after another, each for its seconds; five frames a second."""
    moving = ((0, 0, 0), (3, 1, -4), (-4, 2, 3), (1, -2, 6), (-2, 0, -3))
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H360 F5:1 Ip A1:1 C420jpeg\n")
        for name, seconds in acts:
            poses = [replace(pose_named(name), lean=lean) for lean in moving]
            moments = [
                b"FRAME\n" + _planes(render(person, idle(pose, at / 2), Scene(), 640, 360, seed=at))
                for at, pose in enumerate(poses)
            ]
            for tick in range(round(5 * seconds)):
                file.write(moments[tick % len(moments)])
    return path


def _planes(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    luma, blue, red = Image.fromarray(picture).convert("YCbCr").split()
    half = (luma.width // 2, luma.height // 2)
    return luma.tobytes() + blue.resize(half).tobytes() + red.resize(half).tobytes()


async def visit(page: Page, url: str) -> None:
    """Open ``url``; script errors fail the test, and what the test waits for may take long."""
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
    await page.goto(url)


async def opened(browser: Browser, url: str, width: int = 1280, height: int = 900) -> Page:
    """A page of a room in which the picture is moving; script errors fail the test."""
    page = await browser.new_page(viewport={"width": width, "height": height})
    await visit(page, url)
    await page.wait_for_selector('#screen[data-state="live"]')
    return page


async def magenta(page: Page) -> float:
    """The share of the composite, as a screenshot shows it, that is the test's sticker."""
    return await magenta_share(page.locator("#screen"))


async def magenta_share(element: Locator) -> float:
    """The share of an element, as a screenshot shows it, that is the test's sticker."""
    shot = await element.screenshot(type="png")
    picture = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    hits = (picture[..., 0] > 180) & (picture[..., 1] < 90) & (picture[..., 2] > 180)
    return float(hits.mean())


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Ask ``what`` until it is true; TimeoutError if that takes too long."""
    async with asyncio.timeout(seconds):
        while not await what():  # noqa: ASYNC110
            # A screenshot takes the time that the page needs to draw what is waited for.
            await asyncio.sleep(0.25)
