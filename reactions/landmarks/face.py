"""Faces: the short-range detector and the mesh."""

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from reactions.landmark_types import Face, FaceDetail, RgbImage
from reactions.landmarks.detail_looks import DetailTrail
from reactions.landmarks.interpreter import Interpreter, Range
from reactions.landmarks.model_manifest import FACE_DETECTOR, FACE_MESH
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import (
    Roi,
    face_from_detection,
    face_from_landmarks,
    letterbox,
    long_face,
)
from reactions.landmarks.sample_pace import NEARLY
from reactions.landmarks.search_regions import SURE, face_looks
from reactions.landmarks.ssd import SsdDetector
from reactions.landmarks.track_state import FaceTrail
from reactions.landmarks.warp import crop_on_edge
from reactions.packed_face import PackedFace

PRESENT = 0.5
"""From this confidence on it is a face."""
STILL = 0.02
"""Widths of its region by which a face may move, grow and shrink between two readings; a nod of 5
degrees moves it by three times as much."""
_STRIDES = (8, 16, 16, 16)
"""Of the detector's layers, in pixels (MediaPipe's face_detection_short_range)."""


class Faces(Protocol):
    """Finds faces in a picture."""

    def find(self, picture: RgbImage, region: Roi | None = None) -> list[Roi]:
        """Where faces are in ``region`` (default: all of ``picture``), the surest first."""
        ...


class FaceReader(Protocol):
    """Reads one face."""

    def read(self, picture: RgbImage, roi: Roi) -> Face | None:
        """The face in ``roi``, or None where there is none."""
        ...


class DetailLooker(Protocol):
    """Reads a face finely, now and then."""

    def look(
        self, picture: RgbImage, face: Face, last: DetailTrail, pace: float = 1.0
    ) -> tuple[FaceDetail | None, DetailTrail]:
        """``face`` read finely, None where nothing asks for it; and what to know next time."""
        ...


class FaceDetector:
    """Finds faces."""

    def __init__(self, store: ModelStore) -> None:
        path = store.path(FACE_DETECTOR)
        self._detector = SsdDetector(path, Range.SYMMETRIC, _STRIDES, keypoints=6)

    def find(self, picture: RgbImage, region: Roi | None = None) -> list[Roi]:
        """Where faces are in ``region`` (default: all of ``picture``), the surest first."""
        height, width = picture.shape[:2]
        faces = self._detector.detect(picture, region or letterbox(width, height))
        return [face_from_detection(face.box, face.keypoints) for face in faces]


class FaceMesh:
    """Reads a face in a region."""

    def __init__(self, store: ModelStore) -> None:
        outputs = ((1, 1, 1, 1404), (1, 1, 1, 1))
        self._session = Interpreter(store.path(FACE_MESH), Range.UNIT, outputs)

    def read(self, picture: RgbImage, roi: Roi) -> Face | None:
        """The face in ``roi``, or None where there is none."""
        size = self._session.width
        raw, logit = self._session.run(crop_on_edge(picture, roi, size, size))
        presence = 1 / (1 + math.exp(-float(logit.item())))
        if presence < PRESENT:
            return None
        points = raw.reshape(468, 3) / np.float32(size)
        return Face(points=roi.to_picture(points), presence=presence)


class FaceFollower:
    """One face, from sample to sample."""

    def __init__(
        self, faces: Faces, landmarks: FaceReader, detail: DetailLooker | None = None
    ) -> None:
        self._faces = faces
        self._landmarks = landmarks
        self._detail = detail

    def follow(
        self, picture: RgbImage, trail: FaceTrail | None, pace: float = 1.0
    ) -> tuple[Face | None, FaceTrail]:
        """The face in ``picture`` and its trail; without a trail everything is searched.

        The sample counts as much as ``pace`` (``sample_pace``): at more samples a second than usual
        an absent face is looked for at the usual rate, and one that keeps still is read in every
        other sample or less, and stands for those between: no reading is older than a usual sample.
        """
        last = trail or FaceTrail()
        unread = last.unread + pace
        if trail is not None and unread + pace <= 1 + NEARLY and (last.held or last.region is None):
            passed = replace(last, unread=unread, detail=last.detail.passed(pace))
            return last.held.face if last.held else None, passed
        face = self._landmarks.read(picture, last.region) if last.region else None
        searches = last.searches
        if face is None:
            face = self._search(picture, searches, everywhere=trail is None)
            searches += 1
        if face is None:
            return None, FaceTrail(None, searches)
        region, looked = face_from_landmarks(face.points), last.detail
        if self._detail is not None:
            detail, looked = self._detail.look(picture, face, looked, pace)
            face = replace(face, detail=detail)
        still = pace < 1 and last.region is not None and keeps_still(last.region, region)
        held = PackedFace.of(face) if still else None
        return face, FaceTrail(region, searches, looked, held=held)

    def _search(self, picture: RgbImage, searches: int, *, everywhere: bool) -> Face | None:
        """Looks at the whole picture, then at one part of it or, if need be, at all."""
        face = self._first(picture, None, PRESENT)
        height, width = picture.shape[:2]
        looks = face_looks(width, height)
        for region in looks if everywhere else [looks[searches % len(looks)]]:
            face = face or self._first(picture, region, SURE)
        return face

    def _first(self, picture: RgbImage, region: Roi | None, presence: float) -> Face | None:
        """The face that the detector is surest of in ``region``.

        One that is none to the mesh may gape.
        """
        found = self._faces.find(picture, region)
        face = self._landmarks.read(picture, found[0]) if found else None
        if found and face is None:
            face, presence = self._landmarks.read(picture, long_face(found[0])), SURE
        return face if face and face.presence >= presence else None


def keeps_still(before: Roi, now: Roi) -> bool:
    """Whether a face's region hardly moved from ``before`` to ``now``."""
    moved = math.hypot(now.x - before.x, now.y - before.y)
    return max(moved, abs(now.width - before.width)) <= STILL * before.width
