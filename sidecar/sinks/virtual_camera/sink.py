"""A virtual camera as a sink of the composite, by ``pyvirtualcam``."""

import asyncio
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, Protocol

import av
import numpy as np
import structlog
from numpy.typing import NDArray

from config.errors import ConfigError
from sidecar.captured import Captured
from sidecar.session.stats import SinkStats
from sidecar.sinks.virtual_camera.devices import REPAIR
from sidecar.sinks.virtual_camera.pacing import CameraPacer

log = structlog.get_logger(__name__)

OPENING: Final = 10.0
"""Seconds that a driver gets to open the camera."""
CLOSING: Final = 2.0
"""Seconds for the last picture and the camera's end."""


class OpenCamera(Protocol):
    """What we use of ``pyvirtualcam.Camera``."""

    @property
    def device(self) -> str:
        """Its name, as other programs list it."""
        ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def send(self, frame: NDArray[np.uint8]) -> None:
        """Show a picture in I420; may block."""
        ...

    def close(self) -> None: ...


class VirtualCameraSink:
    """Implements ``PictureSink``: the camera lives in a thread of its own, which drivers may block.

    ``open_camera`` opens it, in ``opening`` seconds; ``name`` is its URL.
    """

    def __init__(
        self,
        open_camera: Callable[[], OpenCamera],
        name: str,
        fps: float,
        clock: Callable[[], float] = time.monotonic,
        opening: float = OPENING,
    ) -> None:
        self.name = name
        self._opening = opening
        self._open_camera = open_camera
        self._clock = clock
        self._pacer = CameraPacer(fps)
        self._changed = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None
        self._shown = 0
        self._failed = 0
        self._reason = ""

    async def start(self) -> None:
        """Open the camera; raises ConfigError where there is none, or another program has it."""
        opened: Future[str] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(opened,), name="virtual camera", daemon=True
        )
        self._thread.start()
        try:
            async with asyncio.timeout(self._opening):
                device = await asyncio.wrap_future(opened)
        except TimeoutError:
            # A camera that opens later would be held for as long as the process runs.
            self._end()
            what = f"the driver of the virtual camera does not answer for {self._opening:g} s"
            raise ConfigError(what, where=self.name, do="load or install it again") from None
        log.info("virtual camera opened", device=device)

    def take(self, frame: av.VideoFrame, time: float) -> None:
        with self._changed:
            self._pacer.put(frame)
            self._changed.notify()

    async def aclose(self) -> None:
        """Close the camera; a driver that hangs is left behind."""
        self._end()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.join, CLOSING)
            if thread.is_alive():
                log.warning("virtual camera not closed", reason="its driver does not answer")

    def stats(self) -> SinkStats:
        dropped = self._pacer.replaced + self._failed
        return SinkStats(self.name, self._shown, dropped, self._reason)

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _run(self, opened: "Future[str]") -> None:
        camera: OpenCamera | None = None
        with Captured() as attempt:
            camera = self._open_camera()
            device = camera.device
        # The caller may have given up.
        if camera is None or attempt.error is not None:
            with suppress(Exception):
                opened.set_exception(_explained(attempt.error, self.name))
            return
        with suppress(Exception):
            opened.set_result(device)
        while self._await_picture():
            self._show(camera)
        with Captured():
            camera.close()

    def _await_picture(self) -> bool:
        """Whether a picture is due; False at the end."""
        with self._changed:
            while not self._ended:
                wait = self._pacer.wait(self._clock())
                if wait <= 0:
                    return True
                self._changed.wait(None if wait == math.inf else wait)
        return False

    def _show(self, camera: OpenCamera) -> None:
        with self._changed:
            picture = self._pacer.take(self._clock())
        with Captured() as attempt:
            camera.send(as_i420(picture, camera.width, camera.height))
        if attempt.error is None:
            if self._reason:
                log.info("virtual camera works again", failed=self._failed)
            self._shown, self._reason = self._shown + 1, ""
            return
        self._failed += 1
        if not self._reason:
            log.warning("picture not shown by the virtual camera", reason=attempt.reason)
        self._reason = attempt.reason


def as_i420(picture: av.VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
    """The planes Y, U and V one after another, flat; scaled where the composite's size changed."""
    if (picture.width, picture.height) != (width, height):
        picture = picture.reformat(width, height)
    return np.asarray(picture.to_ndarray(), np.uint8).reshape(-1)


def _explained(error: Exception | None, name: str) -> ConfigError:
    """An error of the driver as one line; one of ours as it is."""
    if isinstance(error, ConfigError):
        return error
    reason: Any = "; ".join(str(error).splitlines())
    return ConfigError(f"no virtual camera can be opened: {reason}", where=name, do=REPAIR)
