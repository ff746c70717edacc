"""A video or picture in, the same with stickers out: the core of ``sidecar replay``.

It does what a session does, without a network: sample, detect, decide, draw. Time is the video's.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import av

from config.errors import PictureError
from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.pipeline import RecognitionPipeline
from reactions.policy import Policy
from sidecar.inference.sampling import FrameSampler
from sidecar.media.compositor.compositor import Compositor, Stickers
from sidecar.media.still_files import SUFFIXES, read_picture, write_picture
from sidecar.media.video_files import VideoReader, VideoWriter
from sidecar.session.events import (
    LiveScores,
    ParticipantJoined,
    ParticipantLeft,
    SessionEvent,
    as_json,
)
from sidecar.session.factories import make_policy
from sidecar.session.participant import Participant
from sidecar.session.stills import StillReader

EventLog = Callable[[SessionEvent], None]


class RecordedParticipant:
    """The one participant of a recording, sampled ``rate`` times a second of the video's time."""

    def __init__(
        self,
        participant: Participant,
        pipeline: RecognitionPipeline,
        policy: Policy,
        *,
        rate: float,
        longest: int,
    ) -> None:
        self._participant = participant
        self._pipeline = pipeline
        self._policy = policy
        self._interval = 1 / rate
        self._sampler = FrameSampler(longest)
        self._due = 0.0

    def show(self, frame: av.VideoFrame, time: float) -> list[SessionEvent]:
        """Take the frame at ``time`` seconds into account; the events that follow."""
        participant = self._participant
        events = participant.apply(self._policy.advance(time))
        if time >= self._due:
            self._due = max(self._due + self._interval, time)
            sample = self._sampler.sample(frame, time)
            detection = self._pipeline.detect(sample, participant.memory)
            events += participant.process(detection, time)
        return events


@contextmanager
def event_log(path: Path) -> Iterator[EventLog]:
    """A log of JSON lines, at ``path`` once the block is left without an error.

    Until then, and after an error, what stood there stays. Raises PictureError if it can't be
    written.
    """
    special = path.exists() and not path.is_file()  # A pipe or a device is never renamed over.
    partial = path if special else path.with_name(f".{path.name}.partial")
    try:
        file = partial.open("w", encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with file:
            yield lambda event: _write_event(event, file)
        if not special:
            _rename(partial, path)
    finally:
        if not special:
            partial.unlink(missing_ok=True)


def _write_event(event: SessionEvent, file: TextIO) -> None:
    if not isinstance(event, LiveScores):
        print(json.dumps(as_json(event), ensure_ascii=False), file=file)


def _rename(partial: Path, path: Path) -> None:
    try:
        partial.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> PictureError:
    return PictureError(
        f"can't be written: {error.strerror}", where=str(path), do="name another file"
    )


class Replay:
    """Turns recordings into composites, one after another, with one set of nets."""

    def __init__(
        self,
        pipeline: RecognitionPipeline,
        stickers: Stickers,
        table: Mapping[str, ReactionRule],
        settings: Settings,
    ) -> None:
        self._pipeline = pipeline
        self._stickers = stickers
        self._table = table
        self._settings = settings

    def run(
        self, source: Path, target: Path, events: Path, progress: Callable[[float], None]
    ) -> None:
        """Write ``source`` with stickers to ``target`` and what happened to ``events``.

        ``progress`` gets the share done, 0–1. Raises PictureError if anything can't be read or
        written, or is named twice.
        """
        if not source.exists():
            raise PictureError("there is no such file", where=str(source))
        for written, other in ((target, source), (events, source), (events, target)):
            if _same_file(written, other):
                what = f"would overwrite {other}"
                raise PictureError(what, where=str(written), do="name another file")
        with event_log(events) as log:
            if source.suffix.lower() in SUFFIXES:
                self._picture(source, target, log)
            else:
                self._video(source, target, log, progress)
        progress(1.0)

    def _video(
        self, source: Path, target: Path, log: EventLog, progress: Callable[[float], None]
    ) -> None:
        name = source.stem
        sampling = self._settings.sampling
        policy = make_policy(self._table, self._settings)
        participant = Participant(name, name, self._table, policy, caption="")
        recorded = RecordedParticipant(
            participant, self._pipeline, policy, rate=sampling.rate, longest=sampling.longest
        )
        with (
            VideoReader(source) as reader,
            VideoWriter(target, reader.rate, reader.audio) as writer,
        ):
            log(ParticipantJoined(0.0, name, name))
            compositor: Compositor | None = None
            time = 0.0
            for item in reader:
                if isinstance(item, av.Packet):
                    writer.write_sound(item)
                    continue
                time = item.time if item.pts is not None else time + float(1 / reader.rate)
                for event in recorded.show(item, time):
                    log(event)
                compositor = compositor or self._compositor(item)
                writer.write(compositor.draw([participant.tile(item)], time), time)
                if reader.duration:
                    progress(min(time / reader.duration, 1.0))
            for event in participant.leave(time):
                log(event)
            log(ParticipantLeft(time, name, name, "end of the recording"))

    def _picture(self, source: Path, target: Path, log: EventLog) -> None:
        pixels = read_picture(source).pixels
        still = StillReader(self._pipeline, self._table).read(pixels, source.stem)
        for reaction in still.reactions:
            log(reaction)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        drawn = self._compositor(frame).draw([still.participant.tile(frame)], 0.0)
        write_picture(drawn, target)

    def _compositor(self, frame: av.VideoFrame) -> Compositor:
        """A compositor of the frame's size, which 4:2:0 needs even."""
        width, height = (max(2, side // 2 * 2) for side in (frame.width, frame.height))
        return Compositor(width, height, self._stickers)


def _same_file(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()
