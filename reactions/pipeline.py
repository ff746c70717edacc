"""Pixels to label scores: one sample in, one detection out, with memory for the next sample."""

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from reactions.bundle_label import BundleLabel
from reactions.compact_pickle import CompactPickle
from reactions.detected_labels import DetectedLabel, read_detector
from reactions.found_landmarks import FoundLandmarks, found_landmarks
from reactions.geometry import Box
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.gestures.motion import Motion
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LabelScore, families_for
from reactions.landmark_types import ModelFamily, Observation, Sample
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.object_detector import ObjectDetector
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.landmarks.track_state import FaceTrail, HandTrail, Tracks
from reactions.people import by_person
from reactions.taught_labels import TaughtLabel
from reactions.trained_heads import TrainedHead, head_families, with_heads

DUE = 1000
"""Samples without a search for palms, after which one is due in any case."""


@dataclass(frozen=True, slots=True)
class Memory(CompactPickle):
    """What one detection hands on to the participant's next: small, frozen, picklable."""

    tracks: Tracks
    motion: Motion
    """Of the only person, or of the one in slot 0."""
    others: tuple[tuple[int, Motion], ...] = ()
    """Slot and motion of each further person."""

    def motion_of(self, slot: int) -> Motion | None:
        """The motion of the person in ``slot``; None for one who was not there."""
        return self.motion if slot == 0 else dict(self.others).get(slot)

    def staggered(self, phase: float) -> Self:
        """The same, with what is looked for now and then sooner: ``Tracks.staggered``."""
        return replace(self, tracks=self.tracks.staggered(phase))

    def never_frozen(self) -> Self:
        """The same, but for a source whose next sample is read even if it shows the same picture:
        a client that sends single pictures wants each one read, a still camera's too."""
        unchanged = replace(self.tracks.fingerprint, since=math.inf)
        return replace(self, tracks=replace(self.tracks, fingerprint=unchanged))


@dataclass(frozen=True, slots=True)
class Detection(CompactPickle):
    """What one sample shows: a small value without arrays, which other processes can send back."""

    scores: tuple[LabelScore, ...]
    """Best first."""
    face: Box | None
    """The box of the face, in fractions of the sample."""
    memory: Memory
    milliseconds: float
    """Wall-clock time of the models and rules, without any waiting."""
    landmarks: FoundLandmarks | None = None
    """Where the sample asked for them."""
    other_faces: tuple[Box, ...] = ()
    """The boxes of further people's faces."""
    burst: bool = False
    """Something moves that could be a sign: the participant is worth sampling more often."""


class Care(StrEnum):
    """How carefully a picture without a past is searched."""

    NONE = "none"
    """As a stream's later samples: one look for palms."""
    SOME = "some"
    """Further looks where no hand is found."""
    FULL = "full"
    """And each hand is read a second time, by the larger model and in the mirror."""


def first_memory(care: Care, width: int, height: int) -> Memory | None:
    """The memory that makes the detection of a ``width`` x ``height`` sample as careful as that."""
    if care is Care.FULL:
        return None
    unseen = Fingerprint(b"", 0.0)
    if care is Care.SOME:
        return Memory(Tracks(width, height, unseen, refine=False), Motion())
    # A palm search is due with the first sample, and a face search too.
    hands = HandTrail(unsearched=DUE)
    return Memory(Tracks(width, height, unseen, hands, FaceTrail()), Motion())


class RecognitionPipeline:
    """The models and rules that ``labels`` need, loaded once; it keeps nothing between samples.

    Not thread-safe: one a worker, serving any number of participants. Raises ModelError where
    ``store`` lacks a model.
    """

    def __init__(
        self,
        store: ModelStore,
        labels: Collection[str],
        *,
        hand_model: Literal["lite", "full"] = "lite",
        hand_classifier: Path | None = None,
        taught: Sequence[TaughtLabel] = (),
        heads: Sequence[TrainedHead] = (),
        detector: Path | None = None,
        detected: Sequence[DetectedLabel] = (),
    ) -> None:
        """``hand_classifier`` is a file in place of the shipped one; ``taught`` labels are scored
        beside ``labels``, of which ``heads`` score some, and so are ``detected`` ones, which
        ``detector`` is loaded for."""
        own: tuple[BundleLabel, ...] = (*taught, *detected)
        specs = [label.spec() for label in own]
        families = families_for(labels).union(*(spec.families for spec in specs))
        families |= head_families(frozenset(labels), heads)
        # What users teach may be arms whose hands are out of sight, as on the hips.
        body = any(ModelFamily.BODY in spec.families for spec in specs)
        objects = None
        if detected and detector is not None:
            card = read_detector(detector.with_suffix(".json"))
            objects = ObjectDetector(detector, card.wants())
        self._scheduler = LandmarkScheduler(
            store, families, hand_model=hand_model, every_body=body, objects=objects
        )
        shapes = None if hand_classifier is None else HandShapeClassifier(hand_classifier)
        self._recognizer = Recognizer(
            labels, shapes=shapes, taught=specs, own=lambda known: with_heads(known, heads)
        )

    def detect(self, sample: Sample, memory: Memory | None) -> Detection:
        """Detect what ``sample`` shows.

        ``memory`` is that of the participant's previous detection; None for their first sample and
        for a still picture.
        """
        return self.observe(sample, memory)[1]

    def observe(self, sample: Sample, memory: Memory | None) -> tuple[Observation, Detection]:
        """The landmarks that ``detect`` does not hand out, and the detection made of them."""
        began = time.perf_counter()
        tracks = None if memory is None else memory.tracks
        observation, tracks = self._scheduler.observe(sample, tracks)
        scores, motions = self._recognize(observation, memory)
        face = None if observation.face is None else observation.box(observation.face.points)
        spent = (time.perf_counter() - began) * 1000
        found = found_landmarks(observation) if sample.landmarks else None
        burst = any(self._recognizer.wants_burst(motion) for motion in motions.values())
        mine = motions.pop(0, None) or (Motion() if memory is None else memory.motion)
        memory = Memory(tracks, mine, tuple(motions.items()))
        others = tuple(observation.box(one.face.points) for one in observation.others)
        return observation, Detection(scores, face, memory, spent, found, others, burst)

    def _recognize(
        self, observation: Observation, memory: Memory | None
    ) -> tuple[tuple[LabelScore, ...], dict[int, Motion]]:
        """The scores of all people in ``observation``, best first, and the motion of each."""
        scores: list[LabelScore] = []
        motions: dict[int, Motion] = {}
        for slot, seen in by_person(observation):
            before = None if memory is None else memory.motion_of(slot)
            found, motions[slot] = self._recognizer.recognize(seen, before)
            scores += [replace(score, person=slot) for score in found] if slot else found
        return tuple(sorted(scores, key=lambda each: each.score, reverse=True)), motions


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """What a pipeline is made of: a plain value, so that another process can make it."""

    models: Path
    """The folder of the model store."""
    labels: frozenset[str]
    hand_model: Literal["lite", "full"] = "lite"
    hand_classifier: Path | None = None
    """In place of the shipped one."""
    taught: tuple[TaughtLabel, ...] = ()
    """Labels beside the vocabulary."""
    heads: tuple[TrainedHead, ...] = ()
    """What scores labels of the vocabulary in place of their rules, or beside them."""
    detector: Path | None = None
    """A bundle's detector of objects."""
    detected: tuple[DetectedLabel, ...] = ()
    """Those of its labels that are scored; without any it is not loaded."""

    def load(self) -> RecognitionPipeline:
        """Load the models; raises ModelError where one is missing or damaged."""
        return RecognitionPipeline(
            ModelStore(self.models),
            self.labels,
            hand_model=self.hand_model,
            hand_classifier=self.hand_classifier,
            taught=self.taught,
            heads=self.heads,
            detector=self.detector,
            detected=self.detected,
        )
