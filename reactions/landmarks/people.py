"""Further people in one picture: who is who from sample to sample.

The main face is followed by ``FaceFollower``. The others are looked for now and then, while there
is a main face, and each keeps a slot: a small number that stays theirs while they are tracked, and
for a while after they are lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import hypot

from reactions.landmark_types import Face, OtherPerson, RgbImage
from reactions.landmarks.face import FaceReader, Faces
from reactions.landmarks.roi import Roi, face_from_landmarks
from reactions.landmarks.search_regions import SURE
from reactions.landmarks.track_state import PeopleTrail, PersonTrack

MOST_PEOPLE = 4
"""In one picture, the main person included."""
SEARCH_EVERY = 25
"""Samples, five seconds of the usual five a second: one run of the face detector in each, which is
what one person in a picture pays for a second one who may come (docs/landmarks.md)."""
SMALLEST = 0.4
"""Of the main face's width: smaller faces are in the background, or on a screen or picture."""
SEARCH_LOST = 5
"""The same while a face is lost and its slot is kept: a second."""
KEPT = 6.0
"""Seconds for which the slot of a lost face is kept for one that is found near it: as a head that
turns away or a hand before the face."""
NEAR = 1.5
"""Face widths between a lost face and a found one that may be the same."""
_SAME_FACE = 0.3
"""Regions that overlap more (intersection over union) hold the same face."""


class PeopleFollower:
    """The further people of a picture, from sample to sample."""

    def __init__(self, faces: Faces, landmarks: FaceReader) -> None:
        self._faces = faces
        self._landmarks = landmarks

    def follow(
        self,
        picture: RgbImage,
        main: Roi | None,
        trail: PeopleTrail,
        time: float,
        pace: float = 1.0,
    ) -> tuple[tuple[OtherPerson, ...], PeopleTrail]:
        """The people besides the one whose face is in ``main``, and the trail.

        The trail's ``slot`` is the main person's: where the main face became another's, theirs.
        The sample counts as much as ``pace`` (``sample_pace``).
        """
        trail = _with_main(trail, main, time)
        found: list[tuple[PersonTrack, Face]] = []
        lost = [track for track in trail.lost if time - track.seen <= KEPT]
        for track in trail.others:
            taken = [each.region for each, _ in found] + ([] if main is None else [main])
            read = self._read(picture, track.region, taken)
            if read is None:
                lost.append(track)
            else:
                found.append((PersonTrack(track.slot, read[0], time), read[1]))
        unsearched = trail.unsearched + pace
        every = SEARCH_LOST if lost else SEARCH_EVERY
        if main is not None and unsearched > every:
            found += self._search(picture, main, trail.slot, found, lost, time)
            unsearched = 0.0
        others = tuple(track for track, _ in found)
        taken_slots = {track.slot for track in others}
        left = tuple(track for track in lost if track.slot not in taken_slots)
        people = tuple(OtherPerson(track.slot, face) for track, face in found)
        return people, PeopleTrail(trail.slot, main or trail.main, others, left, unsearched)

    def _search(
        self,
        picture: RgbImage,
        main: Roi,
        slot: int,
        known: Sequence[tuple[PersonTrack, Face]],
        lost: Sequence[PersonTrack],
        time: float,
    ) -> list[tuple[PersonTrack, Face]]:
        """Faces that no track has, the surest first, as far as there is room."""
        new: list[tuple[PersonTrack, Face]] = []
        for region in self._faces.find(picture):
            tracks = [track for track, _ in (*known, *new)]
            if len(tracks) + 1 >= MOST_PEOPLE or region.width < SMALLEST * main.width:
                continue
            read = self._read(picture, region, [main, *(track.region for track in tracks)])
            if read is None or read[1].presence < SURE:
                continue
            theirs = _slot(read[0], {slot, *(track.slot for track in tracks)}, lost)
            new.append((PersonTrack(theirs, read[0], time), read[1]))
        return new

    def _read(
        self, picture: RgbImage, region: Roi, taken: Iterable[Roi]
    ) -> tuple[Roi, Face] | None:
        """The face in ``region`` and where it will be next; None where it is one of ``taken``."""
        regions = tuple(taken)
        if any(region.overlap(other) > _SAME_FACE for other in regions):
            return None
        face = self._landmarks.read(picture, region)
        if face is None:
            return None
        coming = face_from_landmarks(face.points)
        if any(coming.overlap(other) > _SAME_FACE for other in regions):
            return None
        return coming, face


def _with_main(trail: PeopleTrail, main: Roi | None, time: float) -> PeopleTrail:
    """``trail`` with the slot of the person whom the main face belongs to now."""
    if main is None or (trail.main is not None and main.overlap(trail.main) > 0):
        return trail
    taken = next((one for one in trail.others if one.region.overlap(main) > _SAME_FACE), None)
    if taken is None:
        return trail
    # The main face was lost, and what was found in its place is another's.
    others = tuple(one for one in trail.others if one is not taken)
    before = () if trail.main is None else (PersonTrack(trail.slot, trail.main, time),)
    return replace(trail, slot=taken.slot, others=others, lost=(*trail.lost, *before))


def _slot(region: Roi, taken: set[int], lost: Sequence[PersonTrack]) -> int:
    """The slot of a face that was lost near ``region``, else the lowest that is free."""
    near = [
        track
        for track in lost
        if track.slot not in taken
        and hypot(track.region.x - region.x, track.region.y - region.y) <= NEAR * region.width
    ]
    if near:
        return min(
            near, key=lambda one: hypot(one.region.x - region.x, one.region.y - region.y)
        ).slot
    used = taken | {track.slot for track in lost}
    return next((slot for slot in range(MOST_PEOPLE) if slot not in used), min(_free(taken)))


def _free(taken: set[int]) -> list[int]:
    """Slots of lost faces may be given away where no other is left."""
    return [slot for slot in range(MOST_PEOPLE) if slot not in taken]
