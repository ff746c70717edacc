"""Pixels to label scores: one sample in, one detection out, with the memory that travels along."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from reactions.gestures.motion import Motion
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LabelScore, nets_for
from reactions.landmark_types import Observation, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import Cascade
from reactions.landmarks.track_state import Tracks


@dataclass(frozen=True, slots=True)
class Memory:
    """What one detection hands on to the participant's next: small, frozen, picklable."""

    tracks: Tracks
    motion: Motion


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What one sample shows."""

    observation: Observation
    scores: tuple[LabelScore, ...]
    """Best first."""
    memory: Memory
    milliseconds: float
    """Wall-clock time that looking took."""


class RecognitionPipeline:
    """The nets and rules that ``labels`` need, loaded once; keeps nothing about anybody.

    Not thread-safe: one a worker, serving any number of participants. Raises ModelError where
    ``store`` lacks a net.
    """

    def __init__(
        self,
        store: ModelStore,
        labels: Collection[str],
        *,
        hand_model: Literal["lite", "full"] = "lite",
    ) -> None:
        self._cascade = Cascade(store, nets_for(labels), hand_model=hand_model)
        self._recognizer = Recognizer(labels)

    def detect(self, sample: Sample, memory: Memory | None) -> Detection:
        """Look at ``sample``; ``memory`` is None for a participant's first, or a still picture."""
        began = time.perf_counter()
        tracks, motion = (None, None) if memory is None else (memory.tracks, memory.motion)
        observation, tracks = self._cascade.observe(sample, tracks)
        scores, motion = self._recognizer.recognize(observation, motion)
        spent = (time.perf_counter() - began) * 1000
        return Detection(observation, scores, Memory(tracks, motion), spent)
