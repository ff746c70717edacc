"""Put stickers into a video or picture: the core of ``sidecar replay``.

It does what a session does, without a network: sample, detect, decide, draw. Time is the video's.
"""

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TextIO

import av

from config.errors import PictureError
from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.frame_sampler import FrameSampler
from reactions.pipeline import RecognitionPipeline
from reactions.policy import Policy
from sidecar.inference.burst_budget import BurstBudget
from sidecar.media.compositor.compositor import Compositor, Stickers
from sidecar.media.container.colour import copy_tags
from sidecar.media.container.inputs import shown_path
from sidecar.media.container.reader import TimedSound
from sidecar.media.container.writer import VideoWriter, video_kind
from sidecar.media.new_file import new_file, unwritable
from sidecar.media.pictures import read_picture, still_format, write_picture
from sidecar.media.recordings import Recording, open_recording
from sidecar.rooms.display_names import display_name
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
    """The one participant of a recording, sampled ``rate`` times a second of the video's time.

    As in a room, bursts are taken where something moves that could be a sign.
    """

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
        self._rate = rate
        self._bursts = BurstBudget()
        self._sampler = FrameSampler(longest)
        self._due = 0.0

    def show(self, frame: av.VideoFrame, time: float) -> list[SessionEvent]:
        """Take the frame at ``time`` seconds into account; the events that follow."""
        participant = self._participant
        events = participant.apply(self._policy.advance(time))
        if time >= self._due:
            sample = self._sampler.sample(frame, time)
            detection = self._pipeline.detect(sample, participant.memory)
            key, rate = participant.participant, self._rate
            self._bursts.note(key, time, wanted=detection.burst, took=0.0, rate=rate)
            self._due = max(self._due + self._bursts.interval(key, time, rate), time)
            events += participant.process(detection, time)
        return events


@contextmanager
def event_log(path: Path) -> Iterator[EventLog]:
    """A log of JSON lines, at ``path`` once the block is left without an error.

    Until then, and after an error, what stood there stays; a pipe or a device gets the lines as
    they come. Raises PictureError if it can't be written.
    """
    with nullcontext(path) if _is_stream(path) else new_file(path) as partial:
        try:
            with partial.open("w", encoding="utf-8") as file:
                yield lambda event: _write_event(event, file)
        except OSError as error:
            raise unwritable(path, error) from error


def _is_stream(path: Path) -> bool:
    """Whether ``path`` is a pipe, a terminal or the like, which is never renamed over."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _write_event(event: SessionEvent, file: TextIO) -> None:
    if not isinstance(event, LiveScores):
        print(json.dumps(as_json(event), ensure_ascii=False), file=file)


def events_beside(target: Path) -> Path:
    """The event log that goes with ``target``; raises PictureError where that has no name."""
    if not target.name:
        raise PictureError("is a folder", where=shown_path(target), do="name a file in it")
    return target.with_name(f"{target.name}.events.jsonl")


def check_files(source: Path, target: Path, events: Path) -> None:
    """Raises PictureError where a replay of these files can't succeed, before any work is done."""
    for written, other in ((target, source), (events, source), (events, target)):
        if _same_file(written, other):
            what = f"would overwrite {shown_path(other)}"
            raise PictureError(what, where=shown_path(written), do="name another file")
    recording = open_recording(source)
    if recording is None:
        still_format(target)
        return
    with recording:
        video_kind(target)


class Replay:
    """Turns recordings into composites, one after another, with one set of models."""

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
        check_files(source, target, events)
        recording = open_recording(source)
        name = display_name(source.stem)
        if recording is None:
            with event_log(events) as log:
                self._picture(source, name, target, log)
        else:
            with recording, event_log(events) as log:
                self._video(recording, name, target, log, progress)
        progress(1.0)

    def _video(
        self,
        recording: Recording,
        name: str,
        target: Path,
        log: EventLog,
        progress: Callable[[float], None],
    ) -> None:
        sampling = self._settings.sampling
        policy = make_policy(self._table, self._settings)
        participant = Participant(name, name, self._table, policy, caption="")
        recorded = RecordedParticipant(
            participant, self._pipeline, policy, rate=sampling.rate, longest=sampling.longest
        )
        with VideoWriter(target, recording.rate, recording.audio) as writer:
            log(ParticipantJoined(0.0, name, name))
            compositor: Compositor | None = None
            time = 0.0
            for item in recording:
                if isinstance(item, TimedSound):
                    writer.write_sound(item.packet, item.time)
                    continue
                frame, time = item.frame, item.time
                for event in recorded.show(frame, time):
                    log(event)
                compositor = compositor or self._compositor(frame)
                drawn = compositor.draw([participant.tile(frame)], time)
                copy_tags(frame, drawn)
                writer.write(drawn, time)
                progress(recording.share)
            for event in participant.leave(time):
                log(event)
            log(ParticipantLeft(time, name, name, "end of the recording"))

    def _picture(self, source: Path, name: str, target: Path, log: EventLog) -> None:
        pixels = read_picture(source).pixels
        still = StillReader(self._pipeline, self._table).read(pixels, name)
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
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return one.resolve() == other.resolve()
