import pickle
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from config.errors import ModelError
from reactions.landmark_types import ModelFamily, Observation, Quality, RgbImage, Sample
from reactions.landmarks.hands import HandLandmarker
from reactions.landmarks.interpreter import Interpreter, Tensor
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.landmarks.track_state import Tracks
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.pipeline import Care, first_memory

FACE_AND_HANDS = frozenset({ModelFamily.FACE, ModelFamily.HANDS})
MODELS = {(128, 128): "face detector", (192, 192): "mesh", (192, 128): "palms", (224, 224): "hand"}
pytestmark = pytest.mark.models


def picture(pose: str, seed: int = 0, *, width: int = 640, height: int = 360) -> RgbImage:
    return render(CAST["Ingrid"], POSES[pose], Scene(), width, height, seed=seed)


@pytest.fixture(scope="module")
def scheduler() -> LandmarkScheduler:
    return LandmarkScheduler(ModelStore(), FACE_AND_HANDS)


@pytest.fixture
def runs() -> Iterator[Counter[str]]:
    """How often each model was run, by what it does; palms by the wide model, as in streams."""
    counter: Counter[str] = Counter()
    run = Interpreter.run

    def counted(session: Interpreter, crop: RgbImage) -> list[Tensor]:
        counter[MODELS[session.width, session.height]] += 1
        return run(session, crop)

    with patch.object(Interpreter, "run", counted):
        yield counter


def stream(
    scheduler: LandmarkScheduler,
    poses: list[str],
    tracks: Tracks | None = None,
    start: int = 0,
) -> tuple[list[Observation], Tracks]:
    seen = []
    for n, pose in enumerate(poses, start):
        observation, tracks = scheduler.observe(Sample(picture(pose, seed=n), n / 5), tracks)
        seen.append(observation)
    assert tracks
    return seen, tracks


def test_what_is_tracked_is_read_without_any_search(
    scheduler: LandmarkScheduler, runs: Counter[str]
) -> None:
    _, tracks = stream(scheduler, ["open_palm"])
    runs.clear()
    seen, _ = stream(scheduler, ["open_palm"] * 2, tracks)
    assert all(observation.face and len(observation.hands) == 1 for observation in seen)
    assert runs == {"mesh": 2, "hand": 2}


def test_a_hand_that_comes_into_a_stream_is_read_carefully_once(
    scheduler: LandmarkScheduler, runs: Counter[str]
) -> None:
    _, tracks = stream(scheduler, ["neutral"])
    runs.clear()
    seen, tracks = stream(scheduler, ["open_palm"] * 8, tracks, start=1)
    read = sum(len(observation.hands) for observation in seen)
    assert read >= 7
    assert runs["hand"] == read + 2
    assert tracks.held[0].readings == 1


def test_without_a_hand_palms_cost_every_second_sample(
    scheduler: LandmarkScheduler, runs: Counter[str]
) -> None:
    _, tracks = stream(scheduler, ["neutral"])
    runs.clear()
    stream(scheduler, ["neutral"] * 5, tracks, start=1)
    assert runs == {"mesh": 5, "palms": 2}


def test_without_a_hand_in_a_calm_picture_palms_cost_every_fourth_sample(
    scheduler: LandmarkScheduler, runs: Counter[str]
) -> None:
    _, tracks = stream(scheduler, ["neutral"] * 5)
    runs.clear()
    stream(scheduler, ["neutral"] * 8, tracks, start=5)
    assert runs == {"mesh": 8, "palms": 2}


def test_models_of_no_interest_do_not_run_and_keep_their_tracks(
    scheduler: LandmarkScheduler, runs: Counter[str]
) -> None:
    _, tracks = stream(scheduler, ["open_palm"])
    runs.clear()
    shown = picture("open_palm", seed=1)
    hands = Sample(shown, 0.2, families=frozenset({ModelFamily.HANDS}))
    observation, later = scheduler.observe(hands, tracks)
    assert (len(observation.hands), observation.face) == (1, None)
    assert runs == {"hand": 1}
    assert later.face == tracks.face
    runs.clear()
    face = Sample(shown, 0.4, families=frozenset({ModelFamily.FACE}))
    observation, last = scheduler.observe(face, later)
    assert (observation.hands, observation.face is None) == ((), False)
    assert runs == {"mesh": 1}
    assert last.hands == later.hands


def test_a_large_change_is_searched_in_every_sample(
    scheduler: LandmarkScheduler, runs: Counter[str]
) -> None:
    _, tracks = stream(scheduler, ["neutral"])
    runs.clear()
    covered = np.roll(picture("neutral"), 200, axis=1)
    for n in range(4):
        _, tracks = scheduler.observe(Sample(np.roll(covered, n, axis=0), n / 5 + 0.2), tracks)
    assert runs["palms"] >= 4


@pytest.mark.parametrize("face", [True, False])
def test_a_small_change_is_searched_again_only_where_no_face_is(
    scheduler: LandmarkScheduler, *, face: bool
) -> None:
    noise = np.random.default_rng(3).integers(40, 90, (360, 640, 3), np.uint8)
    before = picture("neutral") if face else noise
    after = before.copy()
    after[250:350, 20:140] = 255 - after[250:350, 20:140] // 2  # a twentieth of the picture
    _, tracks = scheduler.observe(Sample(before, 0.0), None)
    seen, tracks = scheduler.observe(Sample(after, 0.2), tracks)
    assert bool(seen.face) is face
    assert tracks.hands
    assert bool(tracks.hands.looks.alert) is not face


def test_only_models_that_are_asked_for_are_loaded_and_run(runs: Counter[str]) -> None:
    sample = Sample(picture("open_palm"), 0.0)
    observation, _ = LandmarkScheduler(ModelStore(), {ModelFamily.FACE}).observe(sample, None)
    assert observation.face
    assert not observation.hands
    assert set(runs) == {"face detector", "mesh"}


def test_a_store_needs_only_the_models_that_are_asked_for(tmp_path: Path) -> None:
    face = ModelStore(tmp_path)
    for name in ("face_detection_short_range", "face_landmark"):
        face.folder.joinpath(f"{name}.tflite").write_bytes(ModelStore().path(name).read_bytes())
    LandmarkScheduler(face, {ModelFamily.FACE})
    with pytest.raises(ModelError, match="missing"):
        LandmarkScheduler(face, {ModelFamily.HANDS})


def test_the_state_travels_from_one_set_of_models_to_another(scheduler: LandmarkScheduler) -> None:
    _, tracks = stream(scheduler, ["open_palm"])
    packed = pickle.dumps(tracks)
    assert len(packed) < 5000
    sample = Sample(picture("open_palm", seed=9), 0.2)
    here, _ = scheduler.observe(sample, tracks)
    there, _ = LandmarkScheduler(ModelStore(), FACE_AND_HANDS).observe(sample, pickle.loads(packed))
    assert np.array_equal(here.hands[0].points, there.hands[0].points)
    assert here.face
    assert there.face
    assert np.array_equal(here.face.points, there.face.points)


def test_participants_do_not_see_each_other_s_state(scheduler: LandmarkScheduler) -> None:
    _, waving = stream(scheduler, ["open_palm"])
    _, still = stream(scheduler, ["neutral"])
    assert waving.hands
    assert still.hands
    assert (len(waving.hands.regions), len(still.hands.regions)) == (1, 0)


def test_a_sample_that_a_gate_stops_has_no_landmarks_and_keeps_the_tracks(
    scheduler: LandmarkScheduler, runs: Counter[str]
) -> None:
    _, tracks = stream(scheduler, ["open_palm"])
    runs.clear()
    black = Sample(np.zeros((360, 640, 3), np.uint8), 0.2)
    observation, after = scheduler.observe(black, tracks)
    assert observation.quality is Quality.BLACK
    assert not observation.hands
    assert not runs
    assert after.hands == tracks.hands
    assert after.face == tracks.face


def test_a_change_of_size_starts_afresh(scheduler: LandmarkScheduler) -> None:
    _, tracks = stream(scheduler, ["open_palm"])
    small = Sample(picture("open_palm", width=320, height=180), 0.2)
    observation, after = scheduler.observe(small, tracks)
    assert (after.width, after.height) == (320, 180)
    assert len(observation.hands) == 1
    assert observation.hands[0].points[:, 0].max() < 320


def test_the_landmarks_of_a_large_photo_are_in_its_own_pixels(scheduler: LandmarkScheduler) -> None:
    once = picture("open_palm")
    (small, _), (large, _) = (
        scheduler.observe(Sample(pixels, 0.0), None)
        for pixels in (once, np.kron(once, np.ones((4, 4, 1), np.uint8)))
    )
    assert (large.width, large.height) == (2560, 1440)
    difference = np.abs(large.hands[0].points / 4 - small.hands[0].points)[:, :2].mean()
    assert difference < 0.02 * np.ptp(small.hands[0].points[:, 1])


def test_body_is_read_where_a_label_needs_it() -> None:
    observation, tracks = LandmarkScheduler(ModelStore(), {ModelFamily.BODY}).observe(
        Sample(picture("neutral"), 0.0), None
    )
    assert observation.body
    assert tracks.body


@pytest.mark.parametrize(
    ("pose", "every_body", "landmarks", "read"),
    [
        ("neutral", False, False, False),
        ("arms_crossed", False, False, True),
        ("neutral", True, False, True),
        ("neutral", False, True, True),
    ],
    ids=["no hand", "crossed arms", "unknown labels", "asked for"],
)
def test_a_body_without_a_hint_at_arms_is_left_out_where_no_care_is_taken(
    pose: str, every_body: bool, landmarks: bool, read: bool
) -> None:
    families = {ModelFamily.FACE, ModelFamily.HANDS, ModelFamily.BODY}
    scheduler = LandmarkScheduler(ModelStore(), families, every_body=every_body)
    memory = first_memory(Care.NONE, 640, 360)
    assert memory is not None
    observation, tracks = scheduler.observe(Sample(picture(pose), 0.0, landmarks), memory.tracks)
    assert (observation.body is not None) is read
    assert (tracks.body is not None) is read


EMPTY_ROOM: RgbImage = np.tile(np.linspace(40, 200, 640).astype(np.uint8)[:, None], (360, 1, 3))


def held(scheduler: LandmarkScheduler) -> Tracks:
    """The tracks of a face that kept still from one sample to the next, up to 0.13 s."""
    tracks = None
    for n in range(3):
        _, tracks = scheduler.observe(Sample(picture("neutral"), n / 15), tracks)
    assert tracks is not None
    assert tracks.face is not None
    assert tracks.face.held is not None
    return tracks


def test_a_face_that_was_held_before_a_black_picture_is_read_after_it(
    scheduler: LandmarkScheduler,
) -> None:
    tracks, black = held(scheduler), np.zeros((360, 640, 3), np.uint8)
    for time in (0.16, 30.0, 60.0):
        observation, tracks = scheduler.observe(Sample(black, time), tracks)
        assert observation.quality is Quality.BLACK
    observation, _ = scheduler.observe(Sample(EMPTY_ROOM, 60.03), tracks)
    assert observation.quality is Quality.OK
    assert observation.face is None


def test_a_face_that_was_held_while_it_was_of_no_interest_is_read_again(
    scheduler: LandmarkScheduler,
) -> None:
    tracks, hands = held(scheduler), frozenset({ModelFamily.HANDS})
    for time in (0.16, 20.0):
        _, tracks = scheduler.observe(Sample(EMPTY_ROOM, time, families=hands), tracks)
    dimmed: RgbImage = EMPTY_ROOM - np.uint8(20)
    observation, _ = scheduler.observe(Sample(dimmed, 20.05), tracks)
    assert observation.quality is Quality.OK
    assert observation.face is None


def test_the_time_in_which_an_absent_face_was_of_no_interest_counts(
    scheduler: LandmarkScheduler, runs: Counter[str]
) -> None:
    _, tracks = scheduler.observe(Sample(EMPTY_ROOM, 0.0), None)
    hands = frozenset({ModelFamily.HANDS})
    _, tracks = scheduler.observe(Sample(EMPTY_ROOM, 0.2, families=hands), tracks)
    runs.clear()
    scheduler.observe(Sample(EMPTY_ROOM, 0.22), tracks)
    assert runs["face detector"] >= 1


def test_a_body_shows_no_hands_where_hands_are_of_no_interest() -> None:
    families = {ModelFamily.HANDS, ModelFamily.BODY}
    scheduler = LandmarkScheduler(ModelStore(), families)
    hands = frozenset({ModelFamily.HANDS})
    _, tracks = scheduler.observe(Sample(EMPTY_ROOM, 0.0, families=hands), None)
    body = Sample(picture("open_palm"), 10.0, families=frozenset({ModelFamily.BODY}))
    with patch.object(HandLandmarker, "read") as read:
        observation, after = scheduler.observe(body, tracks)
    assert observation.body
    assert not observation.hands
    assert not read.called
    assert after.hands == tracks.hands


def test_streams_that_begin_together_search_in_turn() -> None:
    families = {ModelFamily.FACE, ModelFamily.HANDS, ModelFamily.BODY}
    scheduler, shown, begun = LandmarkScheduler(ModelStore(), families), picture("neutral"), []
    for phase in (0.0, 0.5):
        memory = first_memory(Care.NONE, 640, 360)
        assert memory is not None
        _, tracks = scheduler.observe(Sample(shown, 0.0), memory.tracks)
        tracks, searched = tracks.staggered(phase), []
        for number in range(1, 8):
            before = tracks.hands
            _, tracks = scheduler.observe(Sample(shown, number / 10), tracks)
            assert before
            assert tracks.hands
            if tracks.hands.searches > before.searches:
                searched.append(number)
        begun.append(searched)
    assert begun == [[4], [2, 6]]
