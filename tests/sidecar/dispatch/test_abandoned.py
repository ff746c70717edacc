"""Which dispatches count as abandoned, by what several looks saw."""

from dataclasses import replace

from livekit.protocol.agent_dispatch import AgentDispatch

from sidecar.dispatch.abandoned import AbandonedWatch, ListedDispatch
from sidecar.dispatch.dispatch_api import RoomDispatch, SignOfLife

STARTED = 1000.0
"""On the server's clock: when the job began."""
DISPATCH = RoomDispatch("AD_1", "standup", 1, STARTED, restarts=True, message=AgentDispatch())


def listed(
    beat: str | None, dispatch: RoomDispatch = DISPATCH, joined: float = STARTED + 2
) -> list[ListedDispatch]:
    return [ListedDispatch(dispatch, None if beat is None else SignOfLife(joined, beat))]


def looks(
    watch: AbandonedWatch, beats: list[str | None], dispatch: RoomDispatch = DISPATCH
) -> list[bool]:
    """Whether it is abandoned at each look, one a second from the job's start on."""
    return [
        bool(watch.look(listed(beat, dispatch), float(second), STARTED + second))
        for second, beat in enumerate(beats)
    ]


def test_a_room_that_gives_signs_of_life_is_never_abandoned() -> None:
    assert not any(looks(AbandonedWatch(), [str(second) for second in range(60)]))


def test_a_room_that_falls_silent_is_abandoned_after_five_seconds() -> None:
    found = looks(AbandonedWatch(), ["0", "1", "2", *["2"] * 6])
    assert found.index(True) == 2 + 5


def test_a_watcher_that_disappears_is_silent_since_its_last_sign() -> None:
    found = looks(AbandonedWatch(), ["0", "1", "1", "1", None, None, None, None])
    assert found.index(True) == 1 + 5


def test_a_job_may_take_30_seconds_to_its_first_sign() -> None:
    found = looks(AbandonedWatch(), [None] * 40)
    assert found.index(True) == 30


def test_what_a_killed_server_left_is_no_sign_of_the_next_job() -> None:
    watch = AbandonedWatch()
    for second in range(30):
        ghost = listed("7", joined=STARTED - 50)
        assert not watch.look(ghost, float(second), STARTED + second)


def test_a_dispatch_without_a_job_is_abandoned_after_five_seconds() -> None:
    unserved = replace(DISPATCH, jobs=0, started=0.0)
    assert looks(AbandonedWatch(), [None] * 8, unserved).index(True) == 5


def test_a_job_that_comes_late_begins_the_count_again() -> None:
    watch = AbandonedWatch()
    unserved = replace(DISPATCH, jobs=0, started=0.0)
    assert not any(looks(watch, [None] * 5, unserved))
    assert not watch.look(listed(None), 5.0, STARTED + 5)


def test_an_application_that_wants_no_other_job_gets_none() -> None:
    never = replace(DISPATCH, restarts=False)
    assert not any(looks(AbandonedWatch(), ["1"] * 60, never))
    assert any(looks(AbandonedWatch(), [None] * 10, replace(never, jobs=0)))


def test_a_dispatch_that_was_not_listed_for_a_while_is_new() -> None:
    watch = AbandonedWatch()
    assert not watch.look(listed("1"), 0.0, STARTED)
    assert not watch.look([], 10.0, STARTED + 10)
    assert not watch.look(listed("1"), 11.0, STARTED + 11)


def test_a_sign_that_is_newer_than_one_of_long_ago_does_not_say_that_the_room_lives_now() -> None:
    watch = AbandonedWatch()
    for second, beat in ((0.0, "0"), (60.0, "7")):
        assert not watch.look(listed(beat), second, STARTED + second)
        assert watch.open == {"standup"}
    assert not watch.look(listed("8"), 61.0, STARTED + 61)
    assert not watch.open


def test_a_watcher_that_is_gone_at_a_look_long_after_the_last_may_be_joining_again() -> None:
    watch = AbandonedWatch()
    found = [
        bool(watch.look(listed(beat), second, STARTED + second))
        for second, beat in ((0.0, "0"), (60.0, None), (62.0, None), (65.0, None))
    ]
    assert found == [False, False, False, True]


def test_looks_that_are_rarer_than_the_silence_find_a_watcher_that_is_gone() -> None:
    watch = AbandonedWatch()
    found = [
        bool(watch.look(listed(beat), second, STARTED + second))
        for second, beat in ((0.0, "0"), (60.0, None), (120.0, None))
    ]
    assert found == [False, False, True]


def test_what_was_seen_in_a_room_that_gave_no_answer_stays() -> None:
    watch = AbandonedWatch()
    watch.look(listed("0"), 0.0, STARTED)
    assert not watch.look([], 3.0, STARTED + 3, unasked={"standup"})
    assert watch.look(listed("0"), 5.0, STARTED + 5)
    watch.look([], 6.0, STARTED + 6)
    assert not watch.open
