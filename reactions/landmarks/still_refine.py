"""The hands of a still picture, read a second time.

In a stream each sample reads a hand from where its landmarks were in the previous one. A still
picture is read once, from the palm detector's box, which is less exact. So the larger model reads
each hand once more from its landmarks, as it is and mirrored, and the readings are averaged: the
errors of the two differ. On tight crops of hands of people unseen in training, 2 in 100 more are
named right; it costs some 20 ms a hand.
"""

import numpy as np

from reactions.landmark_types import Hand, RgbImage, Side
from reactions.landmarks.hands import HandLandmarker
from reactions.landmarks.model_manifest import HAND_FULL, HAND_LITE
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import hand_from_landmarks


class StillRefiner:
    """Reads each hand a second time. Not thread-safe: one a worker."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._landmarks: HandLandmarker | None = None

    def refine(self, picture: RgbImage, hand: Hand) -> Hand:
        """Return the mean of two more readings of ``hand``; ``hand`` itself if neither sees one."""
        seen = self.readings(picture, hand)
        return mean_hand(seen) if seen else hand

    def readings(self, picture: RgbImage, hand: Hand) -> list[Hand]:
        """Up to two more readings of ``hand``: none where no hand is seen."""
        landmarks = self._loaded()
        roi = hand_from_landmarks(hand.points)
        readings = [landmarks.read(picture, roi), landmarks.read(picture, roi, mirrored=True)]
        return [reading for reading in readings if reading is not None]

    def _loaded(self) -> HandLandmarker:
        """Loaded at first use: a stream whose first sample shows no hand never needs it."""
        if self._landmarks is None:
            model = HAND_FULL if self._store.has(HAND_FULL) else HAND_LITE
            self._landmarks = HandLandmarker(self._store, model)
        return self._landmarks


def mean_hand(readings: list[Hand]) -> Hand:
    """The mean of readings of one hand, sides weighed by how sure each was; at least one."""
    right = float(
        np.mean([r.side_score if r.side is Side.RIGHT else 1 - r.side_score for r in readings])
    )
    return Hand(
        points=np.mean([reading.points for reading in readings], axis=0, dtype=np.float32),
        side=Side.RIGHT if right > 0.5 else Side.LEFT,
        side_score=max(right, 1 - right),
        presence=float(np.mean([reading.presence for reading in readings])),
    )
