from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.labels import LABELS, Group
from reactions.mannequin.choreography import Choreography, demonstration, ease, idle
from reactions.mannequin.pose import Pose
from reactions.mannequin.poses import LOOKALIKES, POSES

names = st.sampled_from([*POSES, *LOOKALIKES])
steps = st.lists(st.tuples(names, st.floats(0.1, 5)), min_size=1, max_size=6)
choreographies = st.builds(Choreography, steps, st.floats(0, 2), st.booleans(), st.integers(0, 5))


@given(choreographies)
def test_holds_follow_each_other_at_the_transitions_distance(play: Choreography) -> None:
    for one, following in pairwise(play.holds):
        assert following.start - one.end == pytest.approx(play.transition)
    assert play.duration - play.holds[-1].end == pytest.approx(play.transition)


@given(choreographies)
def test_begins_lists_the_starts_of_a_name(play: Choreography) -> None:
    for name, _ in play.steps:
        starts = [hold.start for hold in play.holds if hold.name == name]
        assert list(play.begins(name)) == starts
    assert play.begins("somersault") == ()


@given(choreographies, st.floats(0, 20))
def test_movements_are_continuous(play: Choreography, t: float) -> None:
    if play.transition < 0.3:
        return
    here, soon = play.pose_at(t), play.pose_at(t + 0.002)
    moved = max(abs(a - b) for a, b in zip(here.right.wrist, soon.right.wrist, strict=True))
    # 60 cm in a transition of 0.3 s is at most 0.75 cm in 2 ms.
    assert moved < 1.0


def test_a_left_handed_play_is_the_mirror_image() -> None:
    right = Choreography([("wave", 1.0)]).pose_at(0.3)
    left = Choreography([("wave", 1.0)], left_handed=True).pose_at(0.3)
    assert left.left.wrist == right.right.wrist
    assert left.left.turn == right.right.turn


@given(st.floats(0, 600), st.integers(0, 9))
def test_a_living_person_is_never_the_same_twice(t: float, seed: int) -> None:
    assert idle(Pose(), t, seed) != idle(Pose(), t + 0.04, seed)


def test_people_blink_now_and_then() -> None:
    lids = [idle(Pose(), i / 50, 1).face.lids for i in range(500)]
    assert min(lids) < 0.3
    assert sum(lid == 1 for lid in lids) > 400


def test_ease_starts_and_ends_at_rest() -> None:
    assert ease(0) == 0
    assert ease(0.5) == pytest.approx(0.5)
    assert ease(1) == 1
    assert ease(0.01) < 1e-4


def test_impossible_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        Choreography([])
    with pytest.raises(ValueError, match="positive time"):
        Choreography([("fist", 0.0)])
    with pytest.raises(KeyError, match="somersault"):
        Choreography([("somersault", 1.0)])


@pytest.mark.parametrize("cast", [1, 2, 3, 5])
def test_a_cast_shows_every_reaction_but_insults(cast: int) -> None:
    shown = {name for k in range(cast) for name, _ in demonstration(k, cast).steps}
    reactions = {
        name
        for name, spec in LABELS.items()
        if spec.group is not Group.PRESENCE and not spec.moderated
    }
    assert shown == {"neutral"} | reactions


def test_neighbours_in_the_demonstration_never_show_the_same() -> None:
    plays = [demonstration(k) for k in range(3)]
    held = [[hold for hold in play.holds if hold.name != "neutral"] for play in plays]
    for one, other in combinations(held, 2):
        for hold in one:
            same = [each for each in other if each.name == hold.name]
            assert same
            assert all(each.end < hold.start or hold.end < each.start for each in same)


@pytest.mark.parametrize("cast", [2, 3, 5])
def test_loops_of_a_cast_are_equally_long_and_never_show_the_same_at_once(cast: int) -> None:
    plays = [demonstration(k, cast) for k in range(cast)]
    assert len({round(play.duration, 6) for play in plays}) == 1
    for one, other in combinations(plays[:3], 2):
        for hold in one.holds:
            if hold.name != "neutral":
                same = [each for each in other.holds if each.name == hold.name]
                assert all(each.end < hold.start or hold.end < each.start for each in same)
