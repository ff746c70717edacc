"""Hands: the palm detector and the landmark model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from reactions.landmark_types import Hand, RgbImage, Side
from reactions.landmarks.arm_hints import FAINT, arms_hinted
from reactions.landmarks.interpreter import Interpreter, Range
from reactions.landmarks.model_manifest import PALM_SQUARE, PALM_WIDE
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.palm_schedule import search_every, still_for
from reactions.landmarks.roi import (
    Positions,
    Roi,
    hand_from_landmarks,
    hand_from_palm,
    letterbox,
)
from reactions.landmarks.sample_pace import NEARLY
from reactions.landmarks.search_regions import (
    STILL_THERE,
    SURE,
    WIDE,
    around_small_face,
    close_ups,
    fills,
    hand_search_regions,
    middle_close_up,
    next_unread_palm_regions,
    quick_look,
    stream_close_up,
    stream_look,
    turned_looks,
    unread_palm_regions,
)
from reactions.landmarks.second_looks import SecondLooks
from reactions.landmarks.ssd import SsdDetector
from reactions.landmarks.track_state import HandTrail, new_among
from reactions.landmarks.warp import crop_on_edge

HANDS = 2
"""At most so many hands of one person are followed."""
PRESENT = 0.5
"""From this confidence on it is a hand."""
_SPARE = 1
"""So many palms more than hands are looked at: the detector may be wrong on one."""
_MISSED = 5
"""Usual samples for which a hand is looked for where it was lost: hands that clap merge."""
_LOOKS_AT_ONCE = 2
"""Second looks of one sample without a face, which costs no face mesh: of more kinds a look finds a
hand, and two find it sooner for the same credit."""
_STRIDES = (8, 16, 16, 16)
"""Of the detector's layers, in pixels (MediaPipe's palm_detection)."""
_FLATTENED = 0.4
"""The model's z is that much flatter than its x and y."""


@dataclass(frozen=True, slots=True, eq=False)
class PalmLook:
    """What one look for palms showed."""

    hands: list[Roi]
    """Where hands are, the surest first."""
    faint: Positions
    """The middles (n, 2; pixels) of all that may be a palm (``arm_hints.FAINT``)."""


class Palms(Protocol):
    """Finds hands in a picture."""

    def find(self, picture: RgbImage, region: Roi, *, edge: bool = False) -> PalmLook:
        """What is in ``region``.

        Outside the picture it is black, or the picture's ``edge`` is repeated.
        """
        ...


class HandReader(Protocol):
    """Reads one hand."""

    def read(self, picture: RgbImage, roi: Roi) -> Hand | None:
        """The hand in ``roi``, or None where there is none."""
        ...


class PalmDetector:
    """Finds palms with the model that fits the region's shape."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._detectors: dict[str, SsdDetector] = {}

    def find(self, picture: RgbImage, region: Roi, *, edge: bool = False) -> PalmLook:
        """What is in ``region``; ``edge`` as in ``SsdDetector.detect``."""
        wide = region.width >= WIDE * region.height
        detector = self._detector(PALM_WIDE if wide else PALM_SQUARE)
        look = detector.look(picture, region, FAINT, edge=edge)
        hands = [hand_from_palm(palm.box, palm.keypoints) for palm in look.boxes]
        return PalmLook(hands, look.faint)

    def _detector(self, name: str) -> SsdDetector:
        """Loaded at first use: a meeting of wide cameras never needs the square model."""
        if name not in self._detectors:
            path = self._store.path(name)
            self._detectors[name] = SsdDetector(path, Range.UNIT, _STRIDES, keypoints=7)
        return self._detectors[name]


class HandLandmarker:
    """Reads a hand in a region."""

    def __init__(self, store: ModelStore, model: str) -> None:
        """``model``: HAND_LITE or HAND_FULL."""
        outputs = ((1, 63), (1, 1), (1, 1))
        self._session = Interpreter(store.path(model), Range.UNIT, outputs)

    def read(self, picture: RgbImage, roi: Roi, *, mirrored: bool = False) -> Hand | None:
        """The hand in ``roi``, or None where there is none.

        ``mirrored`` shows it to the model in the mirror; what comes back is unmirrored again.
        """
        size = self._session.width
        crop = crop_on_edge(picture, roi, size, size)
        if mirrored:
            crop = np.ascontiguousarray(crop[:, ::-1])
        raw, presence, handedness = self._session.run(crop)
        if presence[0, 0] < PRESENT:
            return None
        points = raw.reshape(21, 3) / np.float32(size)
        points[:, 2] /= np.float32(_FLATTENED)
        # The model takes its picture for a mirrored selfie: its "left" is the person's right hand.
        right = float(handedness[0, 0])
        if mirrored:
            points[:, 0] = 1 - points[:, 0]
            right = 1 - right
        return Hand(
            points=roi.to_picture(points),
            side=Side.RIGHT if right > 0.5 else Side.LEFT,
            side_score=max(right, 1 - right),
            presence=float(presence[0, 0]),
        )


class HandFollower:
    """Up to two hands, from sample to sample."""

    def __init__(self, palms: Palms, landmarks: HandReader) -> None:
        self._palms = palms
        self._landmarks = landmarks

    def follow(
        self,
        picture: RgbImage,
        trail: HandTrail | None,
        face: Roi | None = None,
        *,
        pace: float = 1.0,
        alarm: Roi | None = None,
        most: int = HANDS,
        changed: float = 1.0,
    ) -> tuple[tuple[Hand, ...], HandTrail]:
        """The hands in ``picture`` and their trail.

        Without a trail everything is searched; ``pace`` is how much the sample counts
        (``sample_pace``); ``face``, where one is, tells how small hands are; ``alarm`` is where
        something large moved (``second_looks``). ``most`` hands are followed: ``HANDS`` for each
        person in the picture, of which the share ``changed``, 0–1, is new (``palm_schedule``).
        """
        if trail is None:
            seen = self._search_everywhere(picture, face)
            return tuple(seen.hands), HandTrail(tuple(seen.regions), tuple(seen.read_in))
        seen = _Seen(self._landmarks, picture, most)
        for region in trail.regions[:most]:
            seen.look_at(region)
        for region in trail.read_in if not seen.hands else ():
            if not seen.full:
                seen.look_at(region, STILL_THERE)
        if trail.lost is not None and seen.hands and not seen.full:
            seen.look_at(trail.lost, SURE)
        lost = len(seen.hands) < len(trail.regions)
        unsearched, searches = trail.unsearched + pace, trail.searches
        alarm = alarm or (trail.regions[0] if lost and not seen.hands and face is None else None)
        looks = trail.looks.after(alarm, found=bool(seen.hands), pace=pace)
        still = still_for(trail.still, changed, pace)
        every = search_every(len(seen.hands), still, near=_is_near(face, picture))
        due, hinted = unsearched >= every - NEARLY, trail.hinted
        if (lost or due) and not seen.full:
            calm = not (seen.hands or lost or looks.alert)
            region, again = _next_search(picture, face, searches, calm=calm)
            faint = self._search(picture, region, seen, again=again)
            hinted = face is None or arms_hinted(faint, face)
            unsearched, searches = 0.0, searches + 1
        for _ in range(_LOOKS_AT_ONCE if face is None else 1):
            if not seen.hands:
                looks = self._look_again(picture, looks, seen, face=face is not None)
        trail = replace(trail, searches=searches, looks=looks, hinted=hinted, still=still)
        return tuple(seen.hands), _after(replace(trail, unsearched=unsearched), seen, pace)

    def look_at(
        self, picture: RgbImage, trail: HandTrail, regions: Sequence[Roi]
    ) -> tuple[tuple[Hand, ...], HandTrail]:
        """The first hand in ``regions`` of a picture in which none was found, and the new trail.

        It is read twice: a region that no palm gave may be much too wide for the hand.
        """
        seen = _Seen(self._landmarks, picture)
        for region in regions:
            if not seen.hands:
                seen.look_at(region)
        seen.read_again()
        return tuple(seen.hands), seen.trailed(trail)

    def add(
        self, picture: RgbImage, hands: tuple[Hand, ...], trail: HandTrail, region: Roi
    ) -> tuple[tuple[Hand, ...], HandTrail]:
        """``hands`` of ``trail`` with the one in ``region``, if there surely is another, and the
        new trail."""
        seen = _Seen(self._landmarks, picture)
        seen.hands, seen.regions, seen.read_in = list(hands), [*trail.regions], [*trail.read_in]
        seen.look_at(region, SURE)
        return tuple(seen.hands), seen.trailed(trail)

    def _search(
        self, picture: RgbImage, region: Roi, seen: "_Seen", *, again: bool = False
    ) -> Positions:
        """Reads what the palm detector sees in ``region``; a look that comes ``again``, after one
        that found nothing, must be surer. Returns what may be a palm, as ``PalmLook.faint``."""
        found = self._palms.find(picture, region, edge=again)
        for candidate in found.hands[: seen.most + _SPARE]:
            if not seen.full:
                seen.look_at(candidate, SURE if again else PRESENT)
        if found.hands and not seen.hands and not again:
            seen.unread = seen.unread or found.hands[0]
        return found.faint

    def _look_again(
        self, picture: RgbImage, looks: SecondLooks, seen: "_Seen", *, face: bool
    ) -> SecondLooks:
        """Searches for a hand that the models do not see in the picture as it is, if a look is due.

        Returns the state after it.
        """
        if seen.unread and looks.affordable and not face:
            seen.look_at_first(next_unread_palm_regions(seen.unread, looks.palms))
            return looks.used_on_palm()
        if not looks.due:
            return looks
        height, width = picture.shape[:2]
        look = stream_look(width, height, looks.taken, face=face)
        self._search(picture, look, seen, again=True)
        if looks.region is not None:
            turn, middle = looks.taken, not face and looks.taken % 2 == 0
            seen.look_at_first(
                [middle_close_up(width, height, turn // 2)]
                if middle
                else [stream_close_up(looks.region, turn if face else turn // 2)]
            )
        return looks.used()

    def _search_everywhere(self, picture: RgbImage, face: Roi | None) -> "_Seen":
        height, width = picture.shape[:2]
        seen = self._looked_at(picture, letterbox(width, height))
        near_face = around_small_face(face, width, height)
        looks = [*filter(None, [near_face]), *hand_search_regions(width, height)]
        if any(fills(region, width, height) for region in seen.regions):
            # So large a palm is a guess: seen from farther off it is what the detector knows.
            return self._looked_at(picture, looks[0], again=True).or_else(seen)
        for region in looks if face else [*looks, *turned_looks(width, height)]:
            if not seen.hands:
                self._search(picture, region, seen, again=True)
        if face is None:
            seen.look_at_first(unread_palm_regions(seen.unread) if seen.unread else [])
            # Perhaps one hand fills the picture, nearer than the detector knows.
            seen.look_at_first(close_ups(width, height))
        return seen

    def _looked_at(self, picture: RgbImage, region: Roi, *, again: bool = False) -> "_Seen":
        seen = _Seen(self._landmarks, picture)
        self._search(picture, region, seen, again=again)
        return seen


def _is_near(face: Roi | None, picture: RgbImage) -> bool:
    """Whether a face is there, and so near that its hands are searched for as in the usual way."""
    height, width = picture.shape[:2]
    return face is not None and around_small_face(face, width, height) is None


def _next_search(
    picture: RgbImage, face: Roi | None, searches: int, *, calm: bool
) -> tuple[Roi, bool]:
    """Where palms are looked for after so many ``searches``, and whether that is a second look.

    Every second search is near a small face, or without a face, while nothing moves, a second look.
    """
    height, width = picture.shape[:2]
    if searches % 2 and face is None and calm:
        return stream_look(width, height, searches // 2, face=False), True
    near_face = around_small_face(face, width, height) if searches % 2 else None
    return near_face or quick_look(width, height), False


def _after(trail: HandTrail, seen: "_Seen", pace: float) -> HandTrail:
    """``trail`` with the regions of ``seen``, and where one of several hands was lost."""
    gone = [region for region in trail.regions if new_among(region, seen.regions)]
    alone = 0 < len(seen.hands) < seen.most
    newly = alone and bool(gone) and len(trail.regions) > len(seen.hands)
    found = len(seen.hands) > len(trail.regions)
    missed = 0.0 if newly else trail.missed + pace
    lost = gone[0] if newly else trail.lost
    if not alone or found or missed >= _MISSED - NEARLY:
        lost = None
    return replace(seen.trailed(trail), lost=lost, missed=missed)


class _Seen:
    """The hands found in one picture so far, each once."""

    def __init__(self, landmarks: HandReader, picture: RgbImage, most: int = HANDS) -> None:
        self._landmarks = landmarks
        self.most = most
        self._picture = picture
        self.hands: list[Hand] = []
        self.regions: list[Roi] = []
        """Where each will be next."""
        self.read_in: list[Roi] = []
        """And in which region it was read."""
        self.unread: Roi | None = None
        """The region of the surest palm in which no hand was read."""

    @property
    def full(self) -> bool:
        """Whether there are as many hands as are followed."""
        return len(self.hands) >= self.most

    def look_at(self, region: Roi, presence: float = PRESENT) -> None:
        """Reads ``region`` unless a hand that we have is there; keeps what is that certain."""
        if not new_among(region, self.regions):
            return
        hand = self._landmarks.read(self._picture, region)
        if hand is not None and hand.presence < presence:
            # Where its landmarks are it is read better than where it was looked for.
            region = hand_from_landmarks(hand.points)
            hand = self._landmarks.read(self._picture, region)
        if hand is None or hand.presence < presence:
            return
        coming = hand_from_landmarks(hand.points)
        # Two regions that overlapped little may still have led to the same hand.
        if new_among(coming, self.regions):
            self.hands.append(hand)
            self.regions.append(coming)
            self.read_in.append(region)

    def look_at_first(self, regions: Sequence[Roi]) -> None:
        """Reads ``regions`` until a hand is sure, where none is known yet."""
        for region in regions:
            if not self.hands:
                self.look_at(region, SURE)

    def read_again(self) -> None:
        """Reads each hand once more, where its landmarks are; what is not seen there stays."""
        for index, region in enumerate(self.regions):
            hand = self._landmarks.read(self._picture, region)
            if hand is not None:
                self.hands[index] = hand
                self.read_in[index] = region
                self.regions[index] = hand_from_landmarks(hand.points)

    def trailed(self, trail: HandTrail) -> HandTrail:
        """``trail`` with where the hands are."""
        return replace(trail, regions=tuple(self.regions), read_in=tuple(self.read_in))

    def or_else(self, other: "_Seen") -> "_Seen":
        """These hands, or those of ``other`` where there are none."""
        return self if self.hands else other
