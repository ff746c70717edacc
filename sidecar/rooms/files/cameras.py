"""Cameras of this machine and of the network, opened again when they fail. Blocking."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from config.errors import RefusedError
from sidecar.addresses import AddressRule, check_resolved
from sidecar.aio import Backoff
from sidecar.media.container.frames import FrameDecoder
from sidecar.media.container.inputs import (
    FAILURES,
    open_network_camera,
    open_webcam,
)
from sidecar.rooms.files.addresses import Camera, NetworkCamera, Webcam

OPENING: Final = 8.0
"""Seconds for a camera to answer and to begin."""
READING: Final = 5.0
"""Seconds without a packet after which a network camera counts as lost."""
RTSP_PORT: Final = 554
_SIZE: Final = "640x360"
"""What a webcam is asked for; one that can't gives the nearest that it can."""


@dataclass(frozen=True, slots=True)
class CameraProblem:
    """Why a camera gives no pictures."""

    what: str
    answered: bool = False
    """Whether there is a camera, or a server for it: then it is a matter of time alone."""


class LiveCamera:
    """Frames of ``camera``, for ever: one that drops, or isn't there yet, is tried again.

    ``tell`` is called in the thread that takes the frames: with what the trouble is whenever the
    camera is gone, and with None whenever it is there.
    """

    def __init__(
        self,
        camera: Camera,
        tell: Callable[[CameraProblem | None], None],
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self._camera = camera
        self._tell = tell
        self._backoff = backoff or Backoff(longest=2.0)

    def frames(self, stop: threading.Event) -> Iterator[av.VideoFrame]:
        """The frames as they come, until ``stop`` is set.

        Raises RefusedError where the camera wants a user and password that it wasn't given, and
        PictureError where its pictures are too large.
        """
        attempt = 0
        while not stop.is_set():
            trouble = CameraProblem("the stream ended", answered=True)
            try:
                with open_camera(self._camera) as container:
                    for frame in _decoded(container, self._camera.shown):
                        if attempt >= 0:
                            attempt = -1
                            self._tell(None)
                        yield frame
            except (av.HTTPUnauthorizedError, av.HTTPForbiddenError):
                what = "the camera refuses us: its address needs the right user and password"
                self._tell(CameraProblem(what))
                # Without the original: its text repeats the address with its password.
                raise RefusedError(what, where=self._camera.shown) from None
            except FAILURES as error:
                trouble = CameraProblem(
                    reason(self._camera, error), isinstance(error, av.HTTPNotFoundError)
                )
            self._tell(trouble)
            attempt = max(attempt, 0)
            stop.wait(self._backoff.delay(attempt))
            attempt += 1


def open_camera(camera: Camera) -> InputContainer:
    """``camera``, opened; raises one of ``FAILURES``, or RefusedError for its address."""
    match camera:
        case NetworkCamera():
            parts = urlsplit(camera.url)
            check_resolved(parts.hostname or "", parts.port or RTSP_PORT, AddressRule.ROOM)
            return open_network_camera(camera.url, (OPENING, READING))
        case Webcam():
            return open_webcam(_device(camera), _SIZE)


def reason(camera: Camera, error: Exception) -> str:
    """What went wrong, without the address: it may hold a password."""
    if isinstance(camera, Webcam):
        if isinstance(error, FileNotFoundError):
            present = ", ".join(f"webcam:{number}" for number in _present()) or "none"
            return f"there is no {_device(camera)} (webcams here: {present})"
        if isinstance(error, PermissionError):
            return f"{_device(camera)} may not be read by this user (add them to its group, video)"
    if isinstance(error, av.HTTPNotFoundError):
        return "nothing is there under this path"
    if isinstance(error, av.ExitError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or type(error).__name__)


def _decoded(container: InputContainer, where: str) -> Iterator[av.VideoFrame]:
    video = next(iter(container.streams.video), None)
    if video is None:
        raise ValueError("no video")
    # Damaged pictures are left out until the next key frame; the camera stays open.
    decoder = FrameDecoder(video, where, patient=False)
    for packet in container.demux(video):
        yield from decoder.decode(packet)


def _device(camera: Webcam) -> str:
    return f"/dev/video{camera.number}"


def _present() -> list[int]:
    found = (path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
    return sorted(int(number) for number in found if number.isdecimal())
