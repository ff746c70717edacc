"""The landmarks of each case: as a still picture, and sample by sample as a stream."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av

from config.errors import PictureError
from reactions.frame_sampler import FrameSampler
from reactions.geometry import Box
from reactions.landmark_types import Observation, RgbImage, Sample
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.mannequin import CAST, MONK, Choreography, Person, Scene, render
from reactions.training.evaluation.camera_stream import (
    FPS,
    at_webcam,
    framed,
    scaled,
    shaken,
    through_vp8,
    without,
)
from reactions.training.evaluation.cases import Case, CaseKind
from reactions.training.evaluation.conditions import (
    ON_THE_HAND,
    Condition,
    encoding_for,
    moved_boxes,
    seen_under,
)
from reactions.training.evaluation.landmark_cache import LandmarkCache
from reactions.training.photos import TIGHT, load_picture

RATE = 5.0
"""Samples a second: the shipped rate."""
LEAD = 0.6
"""Seconds of a stream before what it shows comes into the picture."""
_TIGHT_HEIGHT = 300
"""Height of a tight crop with its margin in a picture of 360 pixels: the hand has half of it."""
_TURN = 0.3
"""Seconds in which a mannequin takes up its pose."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the landmark models see of one case."""

    still: Observation | None
    """None for a clip."""
    stream: Sequence[Observation]
    begins: float
    """When the stream first shows what its label says, seconds."""
    seconds: float
    """Length of the stream."""


class CaseReader:
    """Reads cases of the photos in ``folder``. Not thread-safe: one a worker."""

    def __init__(self, folder: Path, scheduler: LandmarkScheduler, cache: LandmarkCache) -> None:
        self._folder = folder
        self._scheduler = scheduler
        self._cache = cache

    def read(self, case: Case, held: float) -> Reading | None:
        """The landmarks of ``case``, whose label is held for ``held`` seconds.

        None where its condition needs a hand and no hand is found in the photo. Raises PictureError
        for a file that can't be read.
        """
        if case.kind is CaseKind.CLIP:
            seen = self._cache.observations(case.key, lambda: self._watched(self._clip(case)))
            return Reading(None, seen, 0.0, seen[-1].time if seen else 0.0)
        if not self._visible(case):
            return None
        (still, *stream) = self._cache.observations(
            f"{case.key} {held}",
            lambda: self._still_and_stream(case, held),
            drawn=case.kind is CaseKind.MANNEQUIN,
        )
        return Reading(still, stream, LEAD, LEAD + held)

    def picture(self, case: Case) -> RgbImage:
        """What ``case`` shows as a still picture. Raises PictureError as ``read`` does."""
        if case.kind is CaseKind.MANNEQUIN:
            return mannequin_pictures(case, 0.5)[-1]
        if case.kind is CaseKind.CLIP:
            return next(self._clip(case)).pixels
        webcam = self._webcam(case)
        return seen_under(case.condition, webcam, self._hands(case))

    def _visible(self, case: Case) -> bool:
        return case.condition not in ON_THE_HAND or bool(self._hands(case))

    def _webcam(self, case: Case) -> RgbImage:
        pixels = load_picture(self._folder, case.photo)
        if case.source not in TIGHT:
            return at_webcam(pixels)
        width = round(pixels.shape[1] * _TIGHT_HEIGHT / pixels.shape[0])
        return framed(scaled(pixels, width, _TIGHT_HEIGHT), 640, 360)

    def _hands(self, case: Case) -> list[Box]:
        """The boxes of the hands in the plain photo, the largest first."""
        seen = self._plain(case)
        boxes = [seen.box(hand.points) for hand in seen.hands]
        return sorted(boxes, key=lambda box: box.width * box.height, reverse=True)

    def _plain(self, case: Case) -> Observation:
        """The photo as it is, as a still picture."""
        (seen,) = self._cache.observations(
            f"still {case.file}", lambda: [self._still(self._webcam(case))]
        )
        return seen

    def _still(self, picture: RgbImage) -> Observation:
        return self._scheduler.observe(Sample(picture, 0.0), None)[0]

    def _still_and_stream(self, case: Case, held: float) -> list[Observation]:
        pictures = self._pictures(case, held)
        encoding = encoding_for(case.condition)
        seed = sum(case.file.encode()) + case.tone
        frames = through_vp8(shaken(pictures, encoding.noise, seed), encoding.bits_a_pixel)
        stamped = ((frame, n / FPS) for n, frame in enumerate(frames))
        plain = case.condition is Condition.PLAIN and case.kind is CaseKind.PHOTO
        still = self._plain(case) if plain else self._still(pictures[-1])
        return [still, *self._watched(sampled(stamped))]

    def _pictures(self, case: Case, held: float) -> Sequence[RgbImage]:
        """The frames of the stream before the camera has them: first without what is shown."""
        if case.kind is CaseKind.MANNEQUIN:
            return mannequin_pictures(case, held)
        webcam, hands = self._webcam(case), self._hands(case)
        shown = seen_under(case.condition, webcam, hands)
        boxes = [_grown(box) for box in moved_boxes(case.condition, webcam, hands)]
        before = without(shown, boxes)
        return [before] * round(LEAD * FPS) + [shown] * round(held * FPS)

    def _watched(self, samples: Iterable[Sample]) -> list[Observation]:
        seen, tracks = [], None
        for sample in samples:
            observation, tracks = self._scheduler.observe(sample, tracks)
            seen.append(observation)
        return seen

    def _clip(self, case: Case) -> Iterator[Sample]:
        return clip_samples(self._folder / case.file)


def clip_samples(path: Path) -> Iterator[Sample]:
    """The clip at ``path`` as a meeting samples it. Raises PictureError for what is no clip."""
    try:
        with av.open(path) as container:
            yield from sampled(
                (frame, frame.time)
                for frame in container.decode(video=0)
                if frame.pts is not None and frame.time is not None
            )
    except (OSError, av.FFmpegError) as error:
        raise PictureError("not a clip", where=str(path)) from error


def sampled(frames: Iterable[tuple[av.VideoFrame, float]]) -> Iterator[Sample]:
    """Samples of ``frames``, which come with their times, by the shipped sampler."""
    sampler, due = FrameSampler(), 0.0
    for frame, time in frames:
        if time >= due:
            due = time + 1 / RATE - 1e-3
            yield sampler.sample(frame, time)


def mannequin_pictures(case: Case, held: float) -> list[RgbImage]:
    """The frames in which a mannequin of the case's tone takes up its pose and holds it."""
    play = Choreography(
        [("neutral", LEAD - _TURN), (case.name.removeprefix("neg_"), held)],
        _TURN,
        seed=case.tone,
    )
    person, scene = mannequin_of(case.tone), Scene(yaw=(-12.0, 0.0, 12.0)[case.tone % 3], noise=0)
    count = round((LEAD + held) * FPS)
    return [render(person, play.pose_at(n / FPS), scene, seed=n) for n in range(count)]


def mannequin_of(tone: int) -> Person:
    """The cast's member whose skin is nearest to ``tone``, with that tone."""
    nearest = min(CAST.values(), key=lambda one: abs(MONK.index(one.skin) - tone))
    return replace(nearest, skin=MONK[tone])


def _grown(box: Box) -> Box:
    """A hand's box with its wrist, and the ends of its fingers."""
    return Box(
        box.x - box.width * 0.15,
        box.y - box.height * 0.15,
        box.width * 1.3,
        box.height * 1.5,
    )
