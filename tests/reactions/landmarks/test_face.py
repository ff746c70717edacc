import numpy as np
import pytest

from reactions.landmark_types import Face, RgbImage
from reactions.landmarks.face import STILL, FaceDetector, FaceFollower, FaceMesh, keeps_still
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import Roi
from reactions.landmarks.search_regions import SURE, face_looks
from reactions.landmarks.track_state import FaceTrail
from reactions.mannequin import CAST, POSES, Scene, render

PICTURE: RgbImage = np.zeros((360, 640, 3), np.uint8)
MESH = np.random.default_rng(5).uniform(200, 280, size=(468, 3)).astype(np.float32)


class World:
    """A face, or none: both models see it, and count their runs."""

    def __init__(self, presence: float = 0.0, *, only_in_parts: bool = False) -> None:
        self.presence = presence
        self.only_in_parts = only_in_parts
        self.searches: list[Roi | None] = []
        self.reads = 0

    def find(self, picture: RgbImage, region: Roi | None = None) -> list[Roi]:
        self.searches.append(region)
        hidden = self.only_in_parts and region is None
        return [] if hidden or not self.presence else [Roi(240, 240, 100, 100)]

    def read(self, picture: RgbImage, roi: Roi) -> Face | None:
        self.reads += 1
        return Face(MESH, self.presence) if self.presence >= 0.5 else None


def test_a_face_in_view_is_read_without_looking_for_it() -> None:
    world = World(presence=0.9)
    follower = FaceFollower(world, world)
    face, trail = follower.follow(PICTURE, None)
    for _ in range(3):
        face, trail = follower.follow(PICTURE, trail)
        assert face
    assert (len(world.searches), world.reads) == (1, 4)


def test_more_samples_a_second_cost_no_more_readings_of_a_face_that_keeps_still() -> None:
    world, reads = World(presence=0.9), []
    follower = FaceFollower(world, world)
    _, trail = follower.follow(PICTURE, None)
    for _ in range(6):
        face, trail = follower.follow(PICTURE, trail, pace=0.4)
        assert face
        assert np.allclose(face.points[:, :2], MESH[:, :2], atol=0.1)
        reads.append(world.reads)
    assert reads == [2, 2, 3, 3, 4, 4]


def test_a_face_that_moves_or_grows_does_not_keep_still() -> None:
    region = Roi(300.0, 200.0, 200.0, 200.0)
    step = 1.5 * STILL * region.width
    assert keeps_still(region, region.moved(0.3 * step, 0.3 * step))
    assert not keeps_still(region, region.moved(0, step))
    assert not keeps_still(region, Roi(300.0, 200.0, 200.0 + step, 200.0 + step))


def test_a_face_that_moves_is_read_in_each_sample() -> None:
    world = World(presence=0.9)
    follower = FaceFollower(world, world)
    _, trail = follower.follow(PICTURE, FaceTrail(Roi(0, 0, 100, 100)), pace=0.4)
    follower.follow(PICTURE, trail, pace=0.4)
    assert world.reads == 2


def test_more_samples_a_second_cost_no_more_searches_for_an_absent_face() -> None:
    world, trail = World(), FaceTrail()
    follower = FaceFollower(world, world)
    for _ in range(10):
        _, trail = follower.follow(PICTURE, trail, pace=0.5)
    assert world.searches.count(None) == 5


def test_a_lost_face_is_looked_for_in_the_same_sample() -> None:
    world = World(presence=0.9)
    face, _ = FaceFollower(world, world).follow(PICTURE, FaceTrail(region=None))
    assert face


def test_an_absent_face_is_looked_for_in_the_whole_and_one_part_a_sample() -> None:
    world, trail = World(), FaceTrail()
    follower = FaceFollower(world, world)
    for _ in range(5):
        _, trail = follower.follow(PICTURE, trail)
    assert world.searches[::2] == [None] * 5
    parts = face_looks(640, 360)
    assert world.searches[1::2] == [*parts, parts[0]]


def test_a_still_picture_is_searched_part_by_part() -> None:
    world = World()
    FaceFollower(world, world).follow(PICTURE, None)
    assert world.searches == [None, *face_looks(640, 360)]


@pytest.mark.parametrize(("presence", "kept"), [(SURE + 0.05, True), (SURE - 0.05, False)])
def test_a_face_found_in_a_part_must_be_certain(presence: float, kept: bool) -> None:
    world = World(presence, only_in_parts=True)
    face, _ = FaceFollower(world, world).follow(PICTURE, None)
    assert bool(face) is kept


class LongFace(World):
    """A face that the mesh reads in a region of half as much height again alone."""

    def read(self, picture: RgbImage, roi: Roi) -> Face | None:
        return super().read(picture, roi) if roi.height > 1.4 * roi.width else None


@pytest.mark.parametrize(("presence", "kept"), [(SURE + 0.05, True), (SURE - 0.05, False)])
def test_a_face_whose_mouth_gapes_is_read_in_a_longer_region_and_must_be_certain(
    presence: float, kept: bool
) -> None:
    world = LongFace(presence)
    face, _ = FaceFollower(world, world).follow(PICTURE, FaceTrail())
    assert bool(face) is kept


@pytest.mark.models
def test_a_drawn_face_is_found_and_then_followed_to_the_same_place() -> None:
    store = ModelStore()
    follower = FaceFollower(FaceDetector(store), FaceMesh(store))
    picture = render(CAST["Kofi"], POSES["smile"], Scene())
    first, trail = follower.follow(picture, None)
    second, _ = follower.follow(picture, trail)
    assert first
    assert second
    distance = np.abs(first.points[:, :2] - second.points[:, :2]).mean()
    assert distance < 0.01 * np.ptp(first.points[:, 0])
    assert second.presence > 0.9


@pytest.mark.models
def test_a_face_too_small_for_the_whole_picture_is_found_in_a_part() -> None:
    store = ModelStore()
    small = render(CAST["Kofi"], POSES["neutral"], Scene(), 560, 315)
    picture = np.full((720, 1280, 3), 90, np.uint8)
    picture[200:515, 360:920] = small
    detector = FaceDetector(store)
    assert not detector.find(picture)
    face, _ = FaceFollower(detector, FaceMesh(store)).follow(picture, None)
    assert face
