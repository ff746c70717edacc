"""Which model runs on which sample.

Models are nearly all of the cost of a sample, so the scheduler runs as few as it can. The landmark
models read faces and hands where they were in the previous sample; the palm detector runs on every
second or third of five samples a second. What is lost is searched for again in the same sample: at
a few samples a second a waving hand leaves its region in a tenth of the steps.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal

from reactions.landmark_types import (
    Body,
    Face,
    Hand,
    ModelFamily,
    Observation,
    OtherPerson,
    Quality,
    RgbImage,
    Sample,
    Vessel,
)
from reactions.landmarks.body import (
    BodyDetector,
    BodyFollower,
    BodyLandmarker,
    hand_regions,
    missed_hand,
)
from reactions.landmarks.body_schedule import BodyTrail
from reactions.landmarks.careful_hands import CarefulHands
from reactions.landmarks.dark_rooms import lit_up
from reactions.landmarks.downscale import enlarged, factor, shrunk
from reactions.landmarks.face import FaceDetector, FaceFollower, FaceMesh
from reactions.landmarks.face_detail import DetailReader
from reactions.landmarks.frame_quality import PictureChange, change_between, judge_quality
from reactions.landmarks.hands import HANDS, HandFollower, HandLandmarker, PalmDetector
from reactions.landmarks.held_hand import HeldHand
from reactions.landmarks.model_manifest import (
    HAND_FULL,
    HAND_LITE,
    POSE_FULL,
    POSE_LITE,
    VESSELS,
)
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.object_detector import EVERY_OBJECTS, ObjectFinder
from reactions.landmarks.people import PeopleFollower
from reactions.landmarks.roi import Roi, body_from_face
from reactions.landmarks.sample_pace import NEARLY, sample_pace
from reactions.landmarks.still_refine import StillRefiner
from reactions.landmarks.track_state import FaceTrail, HandTrail, PeopleTrail, Tracks
from reactions.landmarks.vessel_schedule import VesselTrail
from reactions.landmarks.vessels import LIKELY, VesselDetector, Vessels, mouth_look

_LARGE_CHANGE = 0.1
"""The share of the picture that must change between two samples for a second look, while there is a
face: people move. Without one any change that has a place may be a hand."""


class LandmarkScheduler:
    """One set of models. Not thread-safe: one a worker, serving any number of participants."""

    def __init__(
        self,
        store: ModelStore,
        families: Collection[ModelFamily],
        *,
        hand_model: Literal["lite", "full"] = "lite",
        every_body: bool = False,
        objects: ObjectFinder | None = None,
    ) -> None:
        """Load the models of ``families`` only. Raises ModelError where the store lacks one.

        With ``every_body``, for labels that we do not know, no body is left out for the reason that
        no palm hints at arms (``arm_hints``). ``objects`` is a bundle's detector, which looks at
        the whole picture now and then.
        """
        self._every_body, self._objects = every_body, objects
        self._hands = self._careful = self._face = self._people = self._body = None
        if ModelFamily.HANDS in families:
            model = HAND_FULL if hand_model == "full" else HAND_LITE
            self._hands = HandFollower(PalmDetector(store), HandLandmarker(store, model))
            self._careful = CarefulHands(StillRefiner(store))
        if ModelFamily.FACE in families:
            detail = None
            if ModelFamily.FACE_DETAIL in families:
                shapes = ModelFamily.BLENDSHAPES in families
                detail = DetailReader(store, blendshapes=shapes)
            faces, mesh = FaceDetector(store), FaceMesh(store)
            self._face = FaceFollower(faces, mesh, detail)
            self._people = PeopleFollower(faces, mesh)
        if ModelFamily.BODY in families:
            model = POSE_LITE if store.has(POSE_LITE) else POSE_FULL
            self._body = BodyFollower(BodyDetector(store), BodyLandmarker(store, model))
        self._vessels: Vessels | None = None
        if ModelFamily.OBJECTS in families and store.has(VESSELS):
            self._vessels = VesselDetector(store)

    def observe(self, sample: Sample, tracks: Tracks | None) -> tuple[Observation, Tracks]:
        """What is in ``sample``, and what the participant's next sample needs to know.

        Without ``tracks``, or after a change of size, everything is searched and hands are read
        twice, as in a still picture. A sample whose quality is not OK has no landmarks and keeps
        the tracks as they are, their time included. Models that ``sample`` has no interest in are
        left out, and keep their tracks; but without ``tracks`` the search for hands needs the face.
        """
        by = factor(sample.width, sample.height)
        seen, tracks = self._observe(replace(sample, pixels=shrunk(sample.pixels, by)), tracks)
        return enlarged(seen, by, sample.width, sample.height), tracks

    def _observe(self, sample: Sample, tracks: Tracks | None) -> tuple[Observation, Tracks]:
        picture, time, width, height = sample.pixels, sample.time, sample.width, sample.height
        if tracks is not None and (tracks.width, tracks.height) != (width, height):
            tracks = None
        quality, fingerprint = judge_quality(picture, time, tracks.fingerprint if tracks else None)
        last = tracks or Tracks(width, height, fingerprint)
        pace = sample_pace(time - last.time)
        if quality is not Quality.OK:
            seen = Observation(width, height, time, quality=quality)
            return seen, replace(last, fingerprint=fingerprint)
        face, face_trail = self._read_face(sample, last, pace)
        near = face_trail.region if face_trail else None
        change = change_between(last.fingerprint, fingerprint)
        alarm, lit = _alarm(last, change, near), lit_up(picture, fingerprint)
        others, people = self._follow_others(sample, near, last.people, pace)
        most = HANDS * (1 + len(others))
        hands, hand_trail = (
            self._hands.follow(
                lit, last.hands, near, pace=pace, alarm=alarm, most=most, changed=change.share
            )
            if self._hands and _wanted(sample, ModelFamily.HANDS)
            else ((), last.hands)
        )
        shown = (hands, hand_trail)
        body, body_trail = self._read_body(sample, last, near, change.share, pace, *shown)
        if body and hand_trail and _wanted(sample, ModelFamily.HANDS):
            hands, hand_trail = self._hands_by_body(lit, body, hands, hand_trail)
        hands, held = self._read_carefully(sample, lit, hands, last, pace)
        vessels, looked = self._look_for_vessels(sample, hands, face, last.vessels.passed(pace))
        seen = Observation(
            *(width, height, time, hands, face, body, vessels), slot=people.slot, others=others
        )
        return self._with_objects(sample, last, seen, pace), Tracks(
            *(width, height, fingerprint, hand_trail, face_trail, body_trail),
            vessels=looked,
            undetected=0.0 if self._detects(sample, last, pace) else last.undetected + pace,
            people=people,
            held=held,
            time=time,
        )

    def _read_face(
        self, sample: Sample, last: Tracks, pace: float
    ) -> tuple[Face | None, FaceTrail | None]:
        """The main person's face where it is of interest, or tells a first search for hands."""
        if self._face is None:
            return None, last.face
        if not (_wanted(sample, ModelFamily.FACE) or last.hands is None):
            return None, last.face.left_out(pace) if last.face else None
        return self._face.follow(sample.pixels, last.face, pace)

    def _hands_by_body(
        self, picture: RgbImage, body: Body, hands: tuple[Hand, ...], trail: HandTrail
    ) -> tuple[tuple[Hand, ...], HandTrail]:
        """``hands`` with one more, where the body shows one that the palm detector missed."""
        if self._hands is None or len(hands) >= HANDS:
            return hands, trail
        height, width = picture.shape[:2]
        if not hands:
            return self._hands.look_at(picture, trail, hand_regions(body, width, height))
        missed = missed_hand(body, hands, width, height)
        return (hands, trail) if missed is None else self._hands.add(picture, hands, trail, missed)

    def _read_carefully(
        self, sample: Sample, picture: RgbImage, hands: tuple[Hand, ...], last: Tracks, pace: float
    ) -> tuple[tuple[Hand, ...], tuple[HeldHand, ...]]:
        """``hands`` of ``picture`` as they are known, and what is kept of them."""
        if self._careful is None or not _wanted(sample, ModelFamily.HANDS):
            return hands, last.held
        if last.hands is not None:
            return self._careful.read(picture, hands, last.held, pace)
        return self._careful.first(picture, hands) if last.refine else (hands, ())

    def _follow_others(
        self, sample: Sample, main: Roi | None, trail: PeopleTrail | None, pace: float
    ) -> tuple[tuple[OtherPerson, ...], PeopleTrail]:
        """The people besides the main one: none where no label needs faces, and in a still."""
        if self._people is None or trail is None or not _wanted(sample, ModelFamily.FACE):
            return (), trail or PeopleTrail()
        return self._people.follow(sample.pixels, main, trail, sample.time, pace)

    def _look_for_vessels(
        self, sample: Sample, hands: Sequence[Hand], face: Face | None, trail: VesselTrail
    ) -> tuple[tuple[Vessel, ...] | None, VesselTrail]:
        """The vessels near the mouth where a hand may hold one and a look is due, else None; and
        the trail."""
        wanted = self._vessels is not None and _wanted(sample, ModelFamily.OBJECTS)
        look = mouth_look(face, hands) if wanted and face is not None else None
        if self._vessels is None or look is None or not trail.is_due(look.place):
            return None, trail
        vessels = self._vessels.find(sample.pixels, look.region)
        found = any(vessel.score >= LIKELY for vessel in vessels)
        return vessels, trail.looked(look.place, found=found)

    def _body_is_left_out(self, sample: Sample, last: Tracks, hands: HandTrail | None) -> bool:
        """Whether a body that is not followed yet can show none of our labels: palms were looked
        for in this sample, and none hints at arms."""
        if sample.landmarks or self._every_body or last.body is not None:
            return False
        searched = hands is not None and hands is not last.hands and hands.searched
        return searched and not _hinted(hands)

    def _with_objects(
        self, sample: Sample, last: Tracks, seen: Observation, pace: float
    ) -> Observation:
        """``seen`` with what a bundle's detector finds in the whole picture where a look is due."""
        if self._objects is None or not self._detects(sample, last, pace):
            return seen
        return replace(seen, objects=self._objects.find(sample.pixels))

    def _detects(self, sample: Sample, last: Tracks, pace: float) -> bool:
        """Whether a bundle's detector looks at this sample."""
        due = last.undetected + pace >= EVERY_OBJECTS - NEARLY
        return self._objects is not None and due and _wanted(sample, ModelFamily.DETECTOR)

    def _read_body(
        self,
        sample: Sample,
        last: Tracks,
        face: Roi | None,
        changed: float,
        pace: float,
        hands: Sequence[Hand],
        palms: HandTrail | None,
    ) -> tuple[Body | None, BodyTrail | None]:
        """The body where a label needs it and one is due; of the picture, ``changed`` is new, and
        the trail of ``palms`` may hint at arms.

        One that is not followed yet is first read below the ``face``, but in a picture that is
        searched with care. Where neither that nor ``hands`` are, it may be across the room.
        """
        wanted = _wanted(sample, ModelFamily.BODY)
        if self._body is None or not wanted or self._body_is_left_out(sample, last, palms):
            return None, last.body
        needed = self._every_body or sample.landmarks or face is None or bool(hands)
        trail = (last.body or BodyTrail()).after(changed, pace)
        if not trail.is_due(hinted=needed or _hinted(palms)):
            return None, trail
        below = None if face is None or last.hands is None else body_from_face(face)
        alone = self._face is not None and face is None and not hands
        looks = trail.looks(sample.width, sample.height, alone=alone)
        body, region = self._body.follow(sample.pixels, trail.region, below, looks)
        return body, trail.read(region)


def _hinted(hands: HandTrail | None) -> bool:
    """Whether a search for palms hinted at arms, or none was made."""
    return hands is None or hands.hinted


def _wanted(sample: Sample, family: ModelFamily) -> bool:
    return sample.families is None or family in sample.families


def _alarm(last: Tracks, change: PictureChange, face: Roi | None) -> Roi | None:
    """Where a hand may have come into the picture: much changed there, or hides the face; where no
    face is and none was, anything that changed."""
    before = last.face.region if last.face else None
    hidden = before if face is None else None
    faceless = before is None and face is None
    if change.box is None or not (hidden or faceless or change.share > _LARGE_CHANGE):
        return hidden
    x, y = change.box.center
    width, height = change.box.width * last.width, change.box.height * last.height
    return Roi(x * last.width, y * last.height, width, height)
