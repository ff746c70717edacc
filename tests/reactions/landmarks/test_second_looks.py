from reactions.landmarks.roi import Roi
from reactions.landmarks.second_looks import ALERT, CREDIT, PER_SAMPLE, SecondLooks

ALARM = Roi(320, 180, 300, 200)


def looks_in(samples: int, *, alarmed: bool, found: bool = False) -> int:
    state, count = SecondLooks(), 0
    for _ in range(samples):
        state = state.after(ALARM if alarmed else None, found=found)
        if state.due:
            state, count = state.used(), count + 1
    return count


def test_a_calm_picture_has_no_second_look() -> None:
    assert looks_in(100, alarmed=False) == 0


def test_no_look_is_due_while_a_hand_is_in_view() -> None:
    assert looks_in(100, alarmed=True, found=True) == 0


def test_a_picture_that_never_rests_has_one_look_in_ten_samples() -> None:
    assert looks_in(1000, alarmed=True) <= CREDIT + 1000 * PER_SAMPLE


def test_looks_follow_an_alarm_for_a_while() -> None:
    state = SecondLooks().after(ALARM, found=False)
    for _ in range(ALERT - 1):
        assert state.due
        state = state.after(None, found=False)
    assert not state.after(None, found=False).due


def test_each_look_takes_the_next_turn() -> None:
    assert [SecondLooks().used().taken, SecondLooks().used().used().taken] == [1, 2]


def test_looks_are_where_the_last_alarm_was() -> None:
    state = SecondLooks().after(ALARM, found=False).after(None, found=False)
    assert state.region == ALARM


def test_a_palm_that_is_seen_needs_no_alarm_but_uses_the_same_credit() -> None:
    state, count = SecondLooks(), 0
    while state.affordable:
        state, count = state.used_on_palm(), count + 1
    assert count == state.palms == CREDIT
    assert not state.after(ALARM, found=False).due
