"""A video file as a sink of the composite: ``--publish OUT.mp4``."""

from pathlib import Path
from typing import Final

import av

from config.errors import ConfigError
from sidecar.media.recorder import Recorder
from sidecar.session.stats import SinkStats
from sidecar.sinks.base import SinkOptions

SUFFIXES: Final = frozenset({".m4v", ".mkv", ".mov", ".mp4", ".webm"})


class FileSink:
    """Implements ``PictureSink``: H.264, or VP8 in .webm, encoded in a thread of its own."""

    def __init__(self, path: Path, fps: int) -> None:
        self._path = path
        self._recorder = Recorder(path, fps)

    @property
    def name(self) -> str:
        return f"file:{self._path.name}"

    async def start(self) -> None:
        """Begin the file; raises PictureError where it can't be written."""
        await self._recorder.start()

    def take(self, frame: av.VideoFrame, time: float) -> None:
        self._recorder.take(frame, time)

    async def aclose(self) -> None:
        """Complete the file; raises PictureError where that failed, now or before."""
        await self._recorder.aclose()

    def stats(self) -> SinkStats:
        recorder = self._recorder
        return SinkStats(self.name, recorder.written, recorder.dropped, recorder.failure)


def file_sink(url: str, options: SinkOptions) -> FileSink:
    """The sink of ``file:OUT.mp4``; raises ConfigError for a name that is no video file's."""
    path = Path(url.partition(":")[2])
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError("is no video file", where=url, do=f"one of {', '.join(sorted(SUFFIXES))}")
    return FileSink(path, options.fps)
