"""A recorded video (or a picture) in, the same with stickers out: the core of ``sidecar replay``.

It is the session's road without the network: sample, detect, decide, draw. Time is the video's.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import av

from config.errors import PictureError
from config.reaction_rule import Kind, ReactionRule
from config.settings import Settings
from reactions.labels import LabelScore
from reactions.landmark_types import Sample
from reactions.pipeline import RecognitionPipeline
from reactions.policy import Policy
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.inference.sampling import FrameSampler
from sidecar.media.compositor.compositor import Compositor, Stickers
from sidecar.media.still_files import SUFFIXES, read_picture, write_picture
from sidecar.media.video_files import VideoReader, VideoWriter
from sidecar.session.events import (
    ParticipantJoined,
    ParticipantLeft,
    ReactionStep,
    SessionEvent,
    as_json,
)
from sidecar.session.factories import make_policy
from sidecar.session.seat import Seat

EventLog = Callable[[SessionEvent], None]


class Performer:
    """The one participant of a recording: sampled when due, in the video's own time."""

    def __init__(
        self,
        seat: Seat,
        detector: RecognitionPipeline,
        policy: Policy,
        *,
        rate: float,
        longest: int,
    ) -> None:
        self._seat = seat
        self._detector = detector
        self._policy = policy
        self._interval = 1 / rate
        self._sampler = FrameSampler(longest)
        self._due = 0.0

    def see(self, frame: av.VideoFrame, time: float) -> list[ReactionEvent]:
        """Take the frame at ``time`` seconds in; what it leads to."""
        events = self._policy.advance(time)
        if time >= self._due:
            self._due = max(self._due + self._interval, time)
            sample = self._sampler.sample(frame, time)
            detection = self._detector.detect(sample, self._seat.memory)
            self._seat.see(detection)
            events += self._policy.observe(self._seat.participant, detection.scores, time)
        self._seat.apply(events)
        return events

    def leave(self, time: float) -> list[ReactionEvent]:
        """The recording is over."""
        return self._policy.leave(self._seat.participant, time)


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
            yield lambda event: print(json.dumps(as_json(event), ensure_ascii=False), file=file)
        if not special:
            _rename(partial, path)
    finally:
        if not special:
            partial.unlink(missing_ok=True)


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
        detector: RecognitionPipeline,
        stickers: Stickers,
        table: Mapping[str, ReactionRule],
        settings: Settings,
    ) -> None:
        self._detector = detector
        self._stickers = stickers
        self._table = table
        self._settings = settings

    def run(
        self, source: Path, target: Path, events: Path, progress: Callable[[float], None]
    ) -> None:
        """Write ``source`` with stickers to ``target`` and what happened to ``events``.

        ``progress`` is told how far it is, 0–1. Raises PictureError if anything can't be read or
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
        seat = Seat(name, "", self._table)
        sampling = self._settings.sampling
        policy = make_policy(self._table, self._settings)
        performer = Performer(
            seat, self._detector, policy, rate=sampling.rate, longest=sampling.longest
        )
        with (
            VideoReader(source) as reader,
            VideoWriter(target, reader.rate, reader.audio) as writer,
        ):
            log(ParticipantJoined(0.0, name, name))
            canvas: Compositor | None = None
            time = 0.0
            for item in reader:
                if isinstance(item, av.Packet):
                    writer.write_sound(item)
                    continue
                time = item.time if item.pts is not None else time + float(1 / reader.rate)
                for event in performer.see(item, time):
                    log(ReactionStep(event, name))
                canvas = canvas or self._canvas(item)
                writer.write(canvas.draw([seat.tile(item)], time), time)
                if reader.duration:
                    progress(min(time / reader.duration, 1.0))
            for event in performer.leave(time):
                log(ReactionStep(event, name))
            log(ParticipantLeft(time, name, name, "end of the recording"))

    def _picture(self, source: Path, target: Path, log: EventLog) -> None:
        picture = read_picture(source).pixels
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        sample = Sample(picture, 0.0)
        detection = self._detector.detect(sample, None)
        seat = Seat(source.stem, "", self._table)
        seat.see(detection)
        for score in detection.scores:
            rule = self._table[score.label]
            if rule.kind is not Kind.OFF and score.score >= rule.threshold:
                event = _at_once(score, source.stem)
                seat.apply([event])
                log(ReactionStep(event, source.stem))
        write_picture(self._canvas(frame).draw([seat.tile(frame)], 0.0), target)

    def _canvas(self, frame: av.VideoFrame) -> Compositor:
        """A canvas of the frame's size; 4:2:0 wants it even."""
        width, height = (max(2, side // 2 * 2) for side in (frame.width, frame.height))
        return Compositor(width, height, self._stickers)


def _same_file(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _at_once(score: LabelScore, participant: str) -> ReactionEvent:
    """What a still picture shows counts without a hold: there is no time in it."""
    return ReactionEvent(
        stage=ReactionStage.STARTED,
        time=0.0,
        participant=participant,
        label=score.label,
        score=score.score,
        progress=1.0,
        box=score.box,
        hand=score.hand,
    )
