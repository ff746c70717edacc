"""Places: how many there are, and when they are free again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import HttpRefusalError
from sidecar.rooms.hosted.offer import Role
from sidecar.rooms.hosted.sessions import NO_MEDIA, Limits, Place, Roster

SMALL = Limits(participants=2, viewers=1, silence=10.0)


def freed(place: Place, now: float) -> str | None:
    return place.verdict(now, SMALL.silence)


def test_a_full_room_refuses_and_a_freed_place_can_be_taken() -> None:
    roster = Roster(SMALL)
    first = roster.admit(Role.PUBLISH, "a", 0.0)
    roster.admit(Role.PUBLISH, "b", 0.0)
    with pytest.raises(HttpRefusalError, match="full: 2 participants") as caught:
        roster.admit(Role.PUBLISH, "c", 0.0)
    assert caught.value.status == 503
    assert roster.remove(first)
    assert not roster.remove(first)
    assert roster.admit(Role.PUBLISH, "c", 0.0).name == "c"


def test_viewers_and_participants_do_not_take_each_others_places() -> None:
    roster = Roster(SMALL)
    roster.admit(Role.WATCH, "viewer", 0.0)
    roster.admit(Role.PUBLISH, "a", 0.0)
    assert (roster.count(Role.WATCH), roster.count(Role.PUBLISH)) == (1, 1)
    with pytest.raises(HttpRefusalError, match="full: 1 viewers"):
        roster.admit(Role.WATCH, "viewer", 0.0)


def test_one_client_can_not_take_all_places() -> None:
    roster = Roster(Limits(participants=9, viewers=9, per_client=2))
    first = roster.admit(Role.PUBLISH, "a", 0.0, client="192.0.2.1")
    roster.admit(Role.PUBLISH, "b", 0.0, client="192.0.2.1")
    with pytest.raises(HttpRefusalError, match="2 sessions") as caught:
        roster.admit(Role.PUBLISH, "c", 0.0, client="192.0.2.1")
    assert caught.value.status == 429
    roster.admit(Role.WATCH, "viewer", 0.0, client="192.0.2.1")
    roster.admit(Role.PUBLISH, "d", 0.0, client="192.0.2.2")
    roster.remove(first)
    roster.admit(Role.PUBLISH, "e", 0.0, client="192.0.2.1")


def test_clients_that_a_proxy_hides_are_limited_by_the_room_alone() -> None:
    roster = Roster(Limits(participants=3, per_client=1))
    for name in "abc":
        roster.admit(Role.PUBLISH, name, 0.0, client="")
    assert roster.count(Role.PUBLISH) == 3


def test_a_session_is_found_by_its_token_and_role_only() -> None:
    roster = Roster(SMALL)
    place = roster.admit(Role.PUBLISH, "a", 0.0)
    assert roster.find(Role.PUBLISH, place.token) is place
    for role, token in ((Role.WATCH, place.token), (Role.PUBLISH, place.participant)):
        with pytest.raises(HttpRefusalError) as caught:
            roster.find(role, token)
        assert caught.value.status == 404


def test_tokens_can_not_be_guessed_and_are_not_shown() -> None:
    places = [Place(Role.PUBLISH, "a", 0.0) for _ in range(50)]
    assert len({place.token for place in places}) == 50
    assert all(len(place.token) >= 32 for place in places)
    assert places[0].token not in repr(places[0])


def test_a_client_without_heartbeats_lives_by_its_media() -> None:
    place = Place(Role.PUBLISH, "a", 100.0)
    assert freed(place, 108.0) is None
    assert freed(place, 109.5) == "no heartbeat"
    place.media_at = 109.0
    assert freed(place, 117.5) is None
    assert freed(place, 118.5) == "no heartbeat"


def test_heartbeats_keep_a_place_while_no_picture_comes_but_not_for_ever() -> None:
    place = Place(Role.PUBLISH, "a", 0.0)
    for now in range(3, int(NO_MEDIA) + 1, 3):
        place.beat_at = float(now)
        assert freed(place, now + 1.0) is None or now + 1 > NO_MEDIA
    assert freed(place, NO_MEDIA + 1) == "no media"


def test_a_browser_that_dies_is_freed_within_the_limit() -> None:
    place = Place(Role.PUBLISH, "a", 0.0, media_at=50.0, beat_at=49.0)
    assert freed(place, 50.0 + SMALL.silence) == "no heartbeat"


def test_the_roster_names_all_silent_sessions() -> None:
    roster = Roster(SMALL)
    silent = roster.admit(Role.PUBLISH, "a", 0.0)
    alive = roster.admit(Role.PUBLISH, "b", 0.0)
    alive.media_at = 20.0
    assert roster.silent(20.0) == [(silent, "no heartbeat")]


@given(
    st.floats(0, 1e6), st.none() | st.floats(0, 1e6), st.none() | st.floats(0, 1e6), st.floats(0, 8)
)
def test_a_sign_of_life_a_moment_ago_keeps_the_place(
    admitted: float, media: float | None, beat: float | None, since: float
) -> None:
    place = Place(Role.PUBLISH, "a", admitted, media_at=media, beat_at=beat)
    newest_media = max(admitted, media or admitted)
    assert freed(place, newest_media + since) is None


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(10, 1e6))
def test_silence_on_every_channel_frees_the_place(
    admitted: float, beat: float, since: float
) -> None:
    place = Place(Role.PUBLISH, "a", admitted, beat_at=beat)
    assert freed(place, max(admitted, beat) + since) is not None
