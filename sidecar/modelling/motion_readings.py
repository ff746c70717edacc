"""What a network of motions learns from: mannequins that move, and the clips of users."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.errors import ModelError
from reactions.datasets.store import MANIFEST
from reactions.frame_sampler import FrameSampler
from reactions.gestures.context import Context
from reactions.gestures.hand_classes import NONE
from reactions.gestures.motion import Motion
from reactions.gestures.motion_window import HANDS_READ, HEAD_READ
from reactions.gestures.recognizer import Recognizer
from reactions.labels import families_for
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.landmarks.track_state import Tracks
from reactions.trained_heads import HEAD_LABELS, HeadKind, head_classes, read_for_head, rule_scores
from reactions.training.head_network import HeadExamples, HeadPlan
from reactions.training.label_names import meaning_of
from reactions.training.motion_sequences import SURE, LabelledSample, draw_sequences
from sidecar.media.container.reader import TimedFrame, VideoReader
from sidecar.modelling.kept_readings import collect_readings
from sidecar.modelling.sources import CLIP_LONGEST

MAX_CLIPS: Final = 1_000
MAX_SECONDS: Final = 120.0
"""Of one clip: what comes later is not read."""
_RATES: Final = (5.0, 10.0)
"""Samples a second at which a clip is read: of a quiet participant, and of one who moves."""
_KEPT: Final = 6
"""Readings of one sequence of a mannequin, evenly chosen; its neighbours are nearly the same."""
_SETTLED: Final = 0.8
"""Seconds of a stream before there is a window to read."""
_HALVED: Final = 3
"""Every third reading is given once more with hands or head unread, as a server reads that has not
enabled labels of both."""
_LABELS: Final = HEAD_LABELS[HeadKind.MOTION]
_CLASSES: Final = head_classes(HeadKind.MOTION)


@dataclass(frozen=True, slots=True)
class MotionSource:
    """One stream of samples, what it shows, and whose it is."""

    label: str
    person: str
    samples: Callable[[], Iterator[LabelledSample]]
    kept: int | None = None
    """The most of its readings that are taken; None for all."""


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip of a user that shows one label from its beginning to its end, or none of them."""

    path: Path
    label: str
    person: str


def find_clips(folders: Sequence[Path]) -> list[LabelledClip]:
    """The clips in ``folders``: those in ``FOLDER/wave`` show ``wave``, those in a folder that is
    called otherwise show no label. Those in a folder below, as ``FOLDER/wave/ada``, are of one
    person; each other clip is of a person of its own. Raises ModelError for what holds none."""
    found: list[LabelledClip] = []
    for folder in folders:
        if (folder / MANIFEST).is_file():
            what = "is a data set, whose pictures do not move"
            do = "name the folder of the clips themselves, as in clips/wave/ada/1.mp4"
            raise ModelError(what, where=str(folder), do=do)
        if not folder.is_dir():
            what = "is no folder"
            raise ModelError(what, where=str(folder), do="name a folder of clips by label")
        mine = [path for path in sorted(folder.glob("*/**/*")) if _is_file(path)]
        if not mine:
            do = f"put clips into folders called {', '.join(_LABELS)} and none"
            raise ModelError("holds no clips by label", where=str(folder), do=do)
        found += [_clip_of(folder, path) for path in mine]
    if len(found) > MAX_CLIPS:
        raise ModelError(f"more than {MAX_CLIPS} clips", where="--data", do="name fewer")
    return found


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def _clip_of(folder: Path, path: Path) -> LabelledClip:
    name, *between = path.relative_to(folder).parts[:-1]
    meant = meaning_of(name).label
    person = f"{folder.name}/{between[0]}" if between else f"{folder.name}/{name}/{path.name}"
    return LabelledClip(path, meant if meant in _LABELS else NONE, person)


def read_motion_examples(
    plan: HeadPlan,
    clips: Sequence[LabelledClip],
    store: ModelStore,
    cache: Path,
    move: Callable[[float, str], None] = lambda share, what: None,
) -> HeadExamples:
    """The readings of the mannequins of ``plan``, and of ``clips``, which ``store`` reads.

    What an earlier run read is taken from ``cache``. A clip that can't be read is left out. Raises
    ModelError where there are clips and no models.
    """
    sources = [
        MotionSource(one.label, f"mannequin {one.person}", one.samples, _KEPT)
        for one in draw_sequences(plan.pictures, plan.seed)
    ]
    if clips:
        scheduler = LandmarkScheduler(store, families_for(_LABELS))
        sources += [clip_source(clip, scheduler, rate) for clip in clips for rate in _RATES]
    return collect_readings(plan, sources, MotionReader().rows, cache, move)


def clip_source(clip: LabelledClip, scheduler: LandmarkScheduler, rate: float) -> MotionSource:
    """The samples of ``clip``, ``rate`` a second, as a stream's."""

    def samples() -> Iterator[LabelledSample]:
        sampler, due = FrameSampler(CLIP_LONGEST), 0.0
        tracks: Tracks | None = None
        with VideoReader(clip.path) as reader:
            for item in reader:
                if not isinstance(item, TimedFrame) or item.time < due:
                    continue
                if item.time > MAX_SECONDS:
                    return
                due = max(due + 1 / rate, item.time)
                sample = sampler.sample(item.frame, item.time)
                observation, tracks = scheduler.observe(sample, tracks)
                known = clip.label == NONE or item.time >= SURE
                yield LabelledSample(observation, clip.label if known else None)

    return MotionSource(clip.label, clip.person, samples)


class _NoShapes:
    """Motions are read without the shapes of hands."""

    def shapes(self, hand: object, features: object) -> dict[str, float]:
        return {}


class MotionReader:
    """Reads streams as the running recogniser does."""

    def __init__(self) -> None:
        self._recognizer = Recognizer(_LABELS, shapes=_NoShapes())

    def contexts(self, source: MotionSource) -> Iterator[tuple[Context, str]]:
        """Each sample that has a past, and what its window shows."""
        motion, began = Motion(), None
        for sample in source.samples():
            context = self._recognizer.measure(sample.observation, motion)
            motion, now = context.motion, sample.observation.time
            began = now if began is None else began
            if sample.label is not None and now - began >= _SETTLED:
                yield context, sample.label

    def rows(self, source: MotionSource) -> Iterator[list[float]]:
        """The readings of ``source``; see ``kept_readings``."""
        rows = [row for one in self.contexts(source) if (row := _row(*one)) is not None]
        if source.kept is not None and len(rows) > source.kept:
            rows = [
                rows[round(at * (len(rows) - 1) / (source.kept - 1))] for at in range(source.kept)
            ]
        for number, row in enumerate(rows):
            yield row
            if number % _HALVED == 0:
                yield _halved(row, hands=number % 2 == 0)


def _row(context: Context, label: str) -> list[float] | None:
    reading = read_for_head(HeadKind.MOTION, context)
    if reading is None:
        return None
    rules = rule_scores(HeadKind.MOTION, context)
    return [float(_CLASSES.index(label)), *rules, *reading.vector.tolist()]


def _halved(row: list[float], *, hands: bool) -> list[float]:
    """``row`` where hands, or the head, are not read; what they showed is then none."""
    hidden = [_LABELS.index(label) for label in (("wave", "clap") if hands else ("nod", "shake"))]
    shown, rules, vector = int(row[0]), row[1 : 1 + len(_LABELS)], row[1 + len(_LABELS) :]
    for at in hidden:
        rules[at] = 0.0
    part = HANDS_READ if hands else HEAD_READ
    vector[part] = [0.0] * (part.stop - part.start)
    return [float(_CLASSES.index(NONE) if shown in hidden else shown), *rules, *vector]
