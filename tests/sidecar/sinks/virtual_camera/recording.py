"""A driver of pyvirtualcam that keeps what it gets."""

import threading
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

NAME: Final = "recording"
I420: Final = 0x30323449
"""The FourCC code of libyuv: "I420", little-endian."""


class RecordingBackend:
    """A driver that keeps what it gets; methods as pyvirtualcam documents ``Backend``."""

    opened: ClassVar[list["RecordingBackend"]] = []
    broken: ClassVar[str] = ""
    """What the constructor raises, unless empty."""

    def __init__(
        self, *, width: int, height: int, fps: float, fourcc: int, device: str | None
    ) -> None:
        if self.broken:
            raise RuntimeError(self.broken)
        self.format = (width, height, fps, fourcc)
        self.name = device or "first device"
        self.pictures: list[NDArray[np.uint8]] = []
        self.threads: set[str] = set()
        self.fail = False
        self.hang = threading.Event()
        self.hang.set()
        self.closed = 0
        self.opened.append(self)

    @property
    def newest(self) -> int | None:
        """The first sample of the newest picture."""
        return int(self.pictures[-1][0]) if self.pictures else None

    def send(self, frame: NDArray[np.uint8]) -> None:
        self.hang.wait()
        if self.fail:
            raise OSError("device unplugged")
        self.threads.add(threading.current_thread().name)
        self.pictures.append(frame.copy())

    def device(self) -> str:
        return self.name

    def native_fourcc(self) -> int:
        return I420

    def close(self) -> None:
        self.closed += 1
