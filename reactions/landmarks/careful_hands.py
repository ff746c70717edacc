"""Reads the hands of streams carefully now and then (``held_hand`` says when)."""

from collections.abc import Sequence
from typing import Protocol

from reactions.landmark_types import Hand, RgbImage
from reactions.landmarks.held_hand import HeldHand
from reactions.landmarks.roi import hand_from_landmarks
from reactions.landmarks.still_refine import mean_hand

_SAME_HAND = 0.3
"""Overlap (intersection over union) from which on regions of two samples hold the same hand."""


class ExactReader(Protocol):
    """Reads a hand again, with more care (``still_refine.StillRefiner``)."""

    def refine(self, picture: RgbImage, hand: Hand) -> Hand:
        """The mean of ``readings``; ``hand`` itself where there are none."""
        ...

    def readings(self, picture: RgbImage, hand: Hand) -> list[Hand]:
        """Readings of ``hand`` where its landmarks are; none where no hand is seen there."""
        ...


class CarefulHands:
    """Reads the hands of streams carefully now and then. Keeps nothing between samples."""

    def __init__(self, reader: ExactReader) -> None:
        self._reader = reader

    def first(
        self, picture: RgbImage, hands: Sequence[Hand]
    ) -> tuple[tuple[Hand, ...], tuple[HeldHand, ...]]:
        """``hands`` of a still picture or a stream's first sample, each read carefully, and what
        to pass in next time."""
        exact = [self._reader.refine(picture, hand) for hand in hands]
        held = [HeldHand.of(hand).read(seen) for hand, seen in zip(hands, exact, strict=True)]
        return tuple(exact), tuple(held)

    def read(
        self, picture: RgbImage, hands: Sequence[Hand], held: Sequence[HeldHand], pace: float
    ) -> tuple[tuple[Hand, ...], tuple[HeldHand, ...]]:
        """``hands``, which the lite model read, as they are known; ``held``: those of the sample
        before, and those to pass in next time."""
        states = [self._one(picture, hand, held, pace) for hand in hands]
        seen = [state.seen_in(hand) for state, hand in zip(states, hands, strict=True)]
        return tuple(seen), tuple(states)

    def _one(
        self, picture: RgbImage, hand: Hand, held: Sequence[HeldHand], pace: float
    ) -> HeldHand:
        region = hand_from_landmarks(hand.points)
        last = max(held, key=lambda one: one.region.overlap(region), default=None)
        if last is None or last.region.overlap(region) < _SAME_HAND:
            return HeldHand.of(hand)
        state = last.after(hand, pace)
        if not state.due:
            return state
        readings = self._reader.readings(picture, hand)
        return state.read(mean_hand([hand, *readings]) if readings else None)
