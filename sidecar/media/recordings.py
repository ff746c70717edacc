"""Open recordings by content: videos and animated pictures alike."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from av.audio.stream import AudioStream

from sidecar.media.container.reader import TimedFrame, TimedSound, VideoReader
from sidecar.media.pictures import AnimationReader, is_animated, is_picture


class Recording(Protocol):
    """Frames with their times, and the sound if there is any."""

    @property
    def audio(self) -> AudioStream | None:
        """The track of its packets of sound."""
        ...

    @property
    def rate(self) -> Fraction:
        """Frames a second on average."""
        ...

    @property
    def share(self) -> float:
        """How much has been read, 0–1."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __iter__(self) -> Iterator[TimedFrame | TimedSound]:
        """Frames in order of showing, sound in between; PictureError where it can't be read on."""
        ...


def open_recording(path: Path) -> Recording | None:
    """The recording at ``path``; None where it is a still picture.

    Raises PictureError where it is no file, neither of both, or beyond the limits.
    """
    if not is_picture(path):
        return VideoReader(path)
    return AnimationReader(path) if is_animated(path) else None
