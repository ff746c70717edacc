"""Following hands, with stand-ins for the models that count how often they are run."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from reactions.landmark_types import Hand, RgbImage, Side
from reactions.landmarks.hands import HandFollower, HandLandmarker, PalmDetector, PalmLook
from reactions.landmarks.model_manifest import HAND_FULL, HAND_LITE
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import Roi, hand_from_landmarks
from reactions.landmarks.sample_pace import sample_pace
from reactions.landmarks.search_regions import (
    SURE,
    WIDE,
    hand_search_regions,
    middle_close_up,
    quick_look,
    stream_close_up,
    stream_look,
    turned_looks,
    unread_palm_regions,
)
from reactions.landmarks.second_looks import CREDIT, PER_SAMPLE
from reactions.landmarks.track_state import HandTrail
from reactions.mannequin import CAST, POSES, Scene, render

PICTURE: RgbImage = np.zeros((360, 640, 3), np.uint8)
FACE = Roi(320, 140, 180, 180)
SHAPE = np.random.default_rng(3).uniform(-30, 30, size=(21, 3)).astype(np.float32)


def hand_at(x: float, y: float, presence: float = 0.9) -> Hand:
    return Hand(SHAPE + np.array([x, y, 0], np.float32), Side.RIGHT, 0.9, presence)


@dataclass
class World:
    """Hands at places: both models see those in their region, and count their runs."""

    hands: list[Hand] = field(default_factory=list)
    palms: list[Roi] | None = None
    """What the detector claims; by default where the hands are."""
    searches: list[Roi] = field(default_factory=list)
    regions_read: list[Roi] = field(default_factory=list)

    @property
    def reads(self) -> int:
        return len(self.regions_read)

    faint: list[tuple[float, float]] = field(default_factory=list)
    """What may be a palm, in pixels."""

    def find(self, picture: RgbImage, region: Roi, *, edge: bool = False) -> PalmLook:
        self.searches.append(region)
        found = self.palms
        if found is None:
            found = [hand_from_landmarks(hand.points) for hand in self.hands]
        return PalmLook(found, np.array(self.faint, np.float32).reshape(-1, 2))

    def read(self, picture: RgbImage, roi: Roi) -> Hand | None:
        self.regions_read.append(roi)
        near = [
            hand
            for hand in self.hands
            if np.hypot(*(hand.points[:, :2].mean(axis=0) - (roi.x, roi.y))) < roi.width / 2
        ]
        return near[0] if near else None


@dataclass
class DoubtfulWorld(World):
    """Hands that are read with certainty from the second time on."""

    def read(self, picture: RgbImage, roi: Roi) -> Hand | None:
        hand = World.read(self, picture, roi)
        sure = SURE if self.reads > 1 else SURE - 0.2
        return hand and replace(hand, presence=sure)


def run(world: World, samples: int, trail: HandTrail | None = None) -> HandTrail:
    follower = HandFollower(world, world)
    for _ in range(samples):
        _, trail = follower.follow(PICTURE, trail)
    assert trail
    return trail


def searches_by_sample(world: World, samples: int, rate: float = 5.0) -> list[int]:
    """How often palms were looked for in each sample of a stream, the first one left out."""
    follower = HandFollower(world, world)
    _, trail = follower.follow(PICTURE, None)
    counts = []
    for _ in range(samples):
        before = len(world.searches)
        _, trail = follower.follow(PICTURE, trail, pace=sample_pace(1 / rate))
        counts.append(len(world.searches) - before)
    return counts


def test_palms_are_looked_for_in_every_second_sample_while_there_is_no_hand() -> None:
    assert searches_by_sample(World(), 6) == [0, 1, 0, 1, 0, 1]


def test_a_second_hand_is_looked_for_in_every_third_sample() -> None:
    assert searches_by_sample(World([hand_at(100, 100)]), 7) == [0, 0, 1, 0, 0, 1, 0]


def test_more_samples_a_second_cost_no_more_searches() -> None:
    assert searches_by_sample(World(), 10, rate=12.5) == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert sum(searches_by_sample(World([hand_at(100, 100)]), 25, rate=25)) == 1


def test_fewer_samples_a_second_are_searched_by_their_number() -> None:
    assert searches_by_sample(World(), 4, rate=1) == [0, 1, 0, 1]


def test_with_two_hands_nothing_is_looked_for() -> None:
    world = World([hand_at(100, 100), hand_at(400, 100)])
    assert searches_by_sample(world, 6) == [0] * 6
    assert world.reads == 2 + 12


def test_a_lost_hand_is_looked_for_in_the_same_sample() -> None:
    world = World([hand_at(100, 100)])
    trail = run(world, 2)
    world.hands = [hand_at(500, 250)]
    searched = len(world.searches)
    hands, trail = HandFollower(world, world).follow(PICTURE, trail)
    assert len(world.searches) == searched + 1
    assert [hand.points[0, 0] for hand in hands] == [world.hands[0].points[0, 0]]
    assert len(trail.regions) == 1


def test_a_hand_gone_for_good_is_looked_for_once_and_then_at_the_slow_pace() -> None:
    world = World([hand_at(100, 100)])
    trail = run(world, 2)
    world.hands = []
    counts = []
    for _ in range(4):
        before = len(world.searches)
        _, trail = HandFollower(world, world).follow(PICTURE, trail, FACE)
        counts.append(len(world.searches) - before)
    assert counts == [1, 0, 1, 0]


def test_without_a_face_second_looks_follow_the_loss_of_a_hand() -> None:
    world = World([hand_at(100, 100)])
    trail = run(world, 2)
    world.hands, world.palms = [], []
    searched = len(world.searches)
    trail = run(world, 2, trail)
    looks = [stream_look(640, 360, turn, face=False) for turn in range(4)]
    assert world.searches[searched:] == [quick_look(640, 360), *looks]
    assert trail.looks.alert


def test_a_hand_that_is_not_seen_where_its_landmarks_are_is_read_where_it_was_read_before() -> None:
    world = World([hand_at(100, 100)])
    trail = run(world, 2)
    (before,) = trail.read_in
    trail = replace(trail, regions=(Roi(500, 300, 20, 20),))
    read = world.reads
    hands, trail = HandFollower(world, world).follow(PICTURE, trail, FACE)
    assert len(hands) == 1
    assert world.regions_read[read:] == [Roi(500, 300, 20, 20), before]
    assert trail.read_in == (before,)


@dataclass
class HiddenWorld(World):
    """A hand that is read in one region only."""

    where: Roi | None = None

    def read(self, picture: RgbImage, roi: Roi) -> Hand | None:
        hand = World.read(self, picture, roi)
        return hand if roi == self.where else None


@pytest.mark.parametrize("turn", range(9))
def test_a_palm_that_is_seen_is_read_in_more_regions_until_it_shows_its_hand(turn: int) -> None:
    palm = Roi(300, 200, 100, 100)
    where = unread_palm_regions(palm)[turn]
    world = HiddenWorld([hand_at(300, 200)], [palm], where=where)
    trail = HandTrail(unsearched=1)
    for _ in range(20):
        if not trail.regions:
            _, trail = HandFollower(world, world).follow(PICTURE, trail)
    assert trail.read_in == (where,)
    still, _ = HandFollower(world, world).follow(PICTURE, None)
    assert len(still) == 1


def test_palms_without_a_hand_are_read_again_as_often_as_the_credit_allows() -> None:
    world = World(palms=[Roi(300, 200, 100, 100)])
    _, trail = HandFollower(world, world).follow(PICTURE, None)
    before, samples = world.reads, 400
    for _ in range(samples):
        _, trail = HandFollower(world, world).follow(PICTURE, trail)
    own = samples / 2
    assert world.reads - before - own <= 2 * (CREDIT + samples * PER_SAMPLE)


def test_two_regions_never_stay_on_one_hand() -> None:
    world = World([hand_at(100, 100)])
    one = hand_from_landmarks(world.hands[0].points)
    hands, trail = HandFollower(world, world).follow(
        PICTURE, HandTrail((one, one.moved(one.width * 0.45, 0)))
    )
    assert len(hands) == len(trail.regions) == 1


def test_a_palm_beside_a_hand_that_leads_to_the_same_hand_is_no_second_one() -> None:
    world = World([hand_at(100, 100)])
    one = hand_from_landmarks(world.hands[0].points)
    world.palms = [one, one.moved(one.width * 0.45, 0)]
    hands, _ = HandFollower(world, world).follow(PICTURE, None)
    assert len(hands) == 1


def test_no_more_than_two_hands_are_followed() -> None:
    world = World([hand_at(x, 100) for x in (50, 200, 350, 500)])
    assert len(run(world, 1).regions) == 2
    assert world.reads == 2


def test_a_false_palm_does_not_hide_the_true_one_behind_it() -> None:
    world = World([hand_at(100, 100)])
    true = hand_from_landmarks(world.hands[0].points)
    world.palms = [true.moved(300, 100), true]
    assert len(run(world, 1).regions) == 1


ALARM = Roi(200, 150, 160, 120)


def test_after_an_alarm_each_sample_looks_for_a_near_hand() -> None:
    world = World()
    follower, trail = HandFollower(world, world), run(world, 1)
    searched = len(world.searches)
    for alarm in (ALARM, None, None, None):
        _, trail = follower.follow(PICTURE, trail, FACE, alarm=alarm)
    quick = quick_look(640, 360)
    first, second, third, fourth = (stream_look(640, 360, turn) for turn in range(4))
    assert world.searches[searched:] == [first, quick, second, third, quick, fourth]


def test_without_a_face_the_looks_after_an_alarm_are_of_all_kinds() -> None:
    world = World()
    follower, trail = HandFollower(world, world), run(world, 1)
    searched = len(world.searches)
    for alarm in (ALARM, None, None):
        _, trail = follower.follow(PICTURE, trail, alarm=alarm)
    quick = quick_look(640, 360)
    first, second, *more = (stream_look(640, 360, turn, face=False) for turn in range(6))
    assert world.searches[searched:] == [first, second, quick, *more]
    assert world.regions_read[-6:] == [
        region
        for turn in range(3)
        for region in (middle_close_up(640, 360, turn), stream_close_up(ALARM, turn))
    ]


def test_every_second_search_of_a_calm_picture_without_a_face_is_a_second_look() -> None:
    world = World()
    run(world, 8, HandTrail())
    first, second = (stream_look(640, 360, turn, face=False) for turn in range(2))
    quick = quick_look(640, 360)
    assert world.searches == [quick, first, quick, second]
    assert not world.regions_read


def test_after_an_alarm_the_landmark_model_reads_what_changed() -> None:
    world = World()
    follower, trail = HandFollower(world, world), run(world, 1)
    world.hands, world.palms = [hand_at(200, 150)], [Roi(600, 300, 10, 10)]
    hands, trail = follower.follow(PICTURE, trail, alarm=ALARM)
    assert len(hands) == 1
    assert follower.follow(PICTURE, trail)[0]


def test_a_near_hand_that_a_second_look_finds_is_followed() -> None:
    world = World()
    follower, trail = HandFollower(world, world), run(world, 1)
    world.hands = [hand_at(320, 180)]
    hands, trail = follower.follow(PICTURE, trail, alarm=ALARM)
    assert len(hands) == 1
    searched = len(world.searches)
    hands, trail = follower.follow(PICTURE, trail)
    assert len(hands) == 1
    assert len(world.searches) == searched


def test_a_hand_that_is_read_doubtfully_is_read_again_where_its_landmarks_are() -> None:
    doubtful = DoubtfulWorld([hand_at(320, 180)])
    follower = HandFollower(doubtful, doubtful)
    hands, _ = follower.follow(PICTURE, HandTrail(), alarm=ALARM)
    assert [hand.presence for hand in hands] == [SURE]
    assert doubtful.reads == 2


def test_a_hand_that_the_body_shows_is_read_again_where_its_landmarks_are() -> None:
    world = World([hand_at(320, 180)])
    follower, wide = HandFollower(world, world), Roi(300, 170, 300, 300)
    hands, trail = follower.look_at(PICTURE, HandTrail(), [wide])
    assert len(hands) == 1
    assert world.regions_read == [wide, hand_from_landmarks(hands[0].points)]
    assert trail.regions == (hand_from_landmarks(hands[0].points),)


def test_a_hand_that_the_body_shows_is_added_to_the_one_that_is_known() -> None:
    world = World([hand_at(120, 180)])
    follower = HandFollower(world, world)
    hands, trail = follower.look_at(PICTURE, HandTrail(), [Roi(120, 180, 120, 120)])
    world.hands.append(hand_at(420, 180))
    hands, trail = follower.add(PICTURE, hands, trail, Roi(420, 180, 120, 120))
    assert len(hands) == len(trail.regions) == 2
    again, _ = follower.add(PICTURE, hands[:1], trail, trail.regions[0])
    assert len(again) == 1


def test_a_hand_that_meets_the_other_is_looked_for_where_it_was_lost() -> None:
    one, other = hand_at(120, 180), hand_at(420, 180)
    world = World([one, other])
    follower = HandFollower(world, world)
    _, trail = follower.follow(PICTURE, None)
    world.hands = [one]
    hands, trail = follower.follow(PICTURE, trail)
    assert len(hands) == 1
    assert trail.lost is not None
    world.hands, searched = [one, other], len(world.searches)
    hands, trail = follower.follow(PICTURE, trail)
    assert len(hands) == 2
    assert trail.lost is None
    assert len(world.searches) == searched


def test_a_lost_hand_is_given_up_after_a_second() -> None:
    one = hand_at(120, 180)
    world = World([one, hand_at(420, 180)])
    follower = HandFollower(world, world)
    _, trail = follower.follow(PICTURE, None)
    world.hands = [one]
    for _ in range(6):
        _, trail = follower.follow(PICTURE, trail)
    assert trail.lost is None


def test_one_of_three_hands_is_looked_for_where_it_was_lost_for_a_second() -> None:
    hands = [hand_at(x, 180) for x in (100, 300, 500)]
    world = World(list(hands))
    follower = HandFollower(world, world)
    _, trail = follower.follow(PICTURE, HandTrail(unsearched=9), most=4)
    world.hands = hands[:2]
    for _ in range(4):
        _, trail = follower.follow(PICTURE, trail, most=4)
        assert trail.lost is not None
    world.hands, world.palms = hands, []
    seen, trail = follower.follow(PICTURE, trail, most=4)
    assert len(seen) == 3
    assert trail.lost is None


def test_a_still_picture_is_looked_at_more_widely_until_a_hand_is_found() -> None:
    world = World()
    run(world, 1)
    assert world.searches[1:] == [*hand_search_regions(640, 360), *turned_looks(640, 360)]
    found = World([hand_at(100, 100)])
    run(found, 1)
    assert len(found.searches) == 1


def test_a_picture_with_a_face_is_not_taken_for_a_tight_crop_of_a_hand() -> None:
    world = World()
    HandFollower(world, world).follow(PICTURE, None, Roi(320, 180, 200, 200))
    assert world.searches[1:] == hand_search_regions(640, 360)
    assert not world.reads


def test_a_hand_as_large_as_the_picture_is_looked_at_from_farther_off() -> None:
    world = World([hand_at(320, 180)], palms=[Roi(320, 180, 640, 640)])
    world.hands[0].points[:] = (world.hands[0].points - (320, 180, 0)) * 8 + (320, 180, 0)
    run(world, 1)
    assert world.searches[1:] == hand_search_regions(640, 360)[:1]


def test_a_hand_that_fills_the_picture_is_read_though_no_palm_is_found() -> None:
    world = World([hand_at(320, 180)], palms=[])
    assert len(run(world, 1).regions) == 1
    assert world.reads == 1


def test_second_looks_demand_certainty() -> None:
    world = World([hand_at(100, 100, presence=0.7)], palms=[])
    follower = HandFollower(world, world)
    assert follower.follow(PICTURE, None)[0] == ()
    palm = hand_from_landmarks(world.hands[0].points)

    def only_wider(picture: RgbImage, region: Roi, *, edge: bool = False) -> PalmLook:
        return PalmLook([palm] if region.width > 640 else [], np.empty((0, 2), np.float32))

    world.find = only_wider  # type: ignore[method-assign]
    assert follower.follow(PICTURE, None)[0] == ()
    world.hands = [hand_at(100, 100, presence=0.9)]
    assert len(follower.follow(PICTURE, None)[0]) == 1


def test_every_second_search_is_near_a_small_face() -> None:
    world, trail = World(), HandTrail()
    follower = HandFollower(world, world)
    for _ in range(8):
        _, trail = follower.follow(PICTURE, trail, Roi(300, 100, 40, 40))
    assert [region.width for region in world.searches] == [640, 160, 640, 160]


def test_streams_of_wide_pictures_are_searched_with_the_wide_model() -> None:
    world = World()
    run(world, 2, HandTrail())
    assert world.searches[0].width == pytest.approx(WIDE * world.searches[0].height)


@pytest.fixture(scope="module")
def store() -> ModelStore:
    return ModelStore()


@pytest.mark.models
@pytest.mark.parametrize("model", [HAND_LITE, HAND_FULL])
def test_a_drawn_hand_is_the_person_s_right_one_and_in_the_mirror_the_left(
    store: ModelStore, model: str
) -> None:
    follower = HandFollower(PalmDetector(store), HandLandmarker(store, model))
    picture = render(CAST["Amara"], POSES["open_palm"], Scene())
    ((hand,), _) = follower.follow(picture, None)
    ((mirrored,), _) = follower.follow(np.ascontiguousarray(picture[:, ::-1]), None)
    assert (hand.side, mirrored.side) == (Side.RIGHT, Side.LEFT)
    across = 640 - mirrored.points[:, 0]
    assert np.abs(across - hand.points[:, 0]).mean() < 0.05 * np.ptp(hand.points[:, 1])


@pytest.mark.models
def test_both_palm_models_find_the_same_hand(store: ModelStore) -> None:
    palms = PalmDetector(store)
    picture = render(CAST["Mei"], POSES["victory"], Scene())
    square = palms.find(picture, Roi(320, 180, 640, 640)).hands
    wide = palms.find(picture, Roi(320, 180, 640, 640 / WIDE)).hands
    assert len(square) == len(wide) == 1
    assert square[0].overlap(wide[0]) > 0.7


def test_what_may_be_a_palm_before_the_chest_hints_at_arms() -> None:
    trail = HandTrail(unsearched=5)
    for faint, hinted in (([], False), ([(320.0, 300.0)], True), ([(320.0, 140.0)], False)):
        follower = HandFollower(world := World(faint=faint), world)
        assert follower.follow(PICTURE, trail, FACE)[1].hinted is hinted


def test_without_a_search_or_a_face_arms_are_always_possible() -> None:
    follower = HandFollower(world := World(), world)
    assert follower.follow(PICTURE, HandTrail(unsearched=5))[1].hinted
    assert follower.follow(PICTURE, HandTrail(), FACE)[1].hinted


def test_what_a_search_said_of_arms_holds_until_the_next_one() -> None:
    follower = HandFollower(world := World(), world)
    _, trail = follower.follow(PICTURE, HandTrail(unsearched=5), FACE)
    assert (trail.searched, trail.hinted) == (True, False)
    _, trail = follower.follow(PICTURE, trail, FACE)
    assert (trail.searched, trail.hinted) == (False, False)


def searched(world: World, changes: list[float], face: Roi | None) -> list[int]:
    """The samples in which palms are looked for, where so much of the picture changes in each."""
    follower, trail, samples = HandFollower(world, world), HandTrail(), []
    for number, changed in enumerate(changes):
        before = len(world.searches)
        _, trail = follower.follow(PICTURE, trail, face, changed=changed)
        if len(world.searches) > before:
            samples.append(number)
    return samples


def test_a_calm_picture_is_searched_less_often_until_something_changes() -> None:
    changes = [0.0] * 16 + [0.05] + [0.0] * 3
    assert searched(World(), changes, FACE) == [1, 3, 7, 11, 15, 17, 19]
    changes = [0.0] * 18 + [0.05]
    assert searched(World(), changes, FACE) == [1, 3, 7, 11, 15, 18]


def test_a_picture_of_a_person_far_away_or_of_none_is_searched_as_ever() -> None:
    small = Roi(320, 140, 60, 60)
    for face in (small, None):
        assert searched(World(), [0.0] * 10, face) == [1, 3, 5, 7, 9]
