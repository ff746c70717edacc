import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.rooms.livekit.tokens import GivenToken, KeyPair, access_from, read_grants
from sidecar.rooms.livekit.url import LiveKitUrl
from tests.sidecar.rooms.livekit.guest import token

SECRET = "a-secret-of-at-least-32-characters"
KEYS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": SECRET}
ROOM = LiveKitUrl("wss://sfu.example", "room")


def test_the_watcher_is_hidden_and_can_do_nothing_but_watch() -> None:
    access = access_from(ROOM, KEYS)
    assert isinstance(access, KeyPair)
    grants = read_grants(access.watcher("room", "me", now=2e9), "test")
    assert (grants.room, grants.identity) == ("room", "me")
    assert grants.hidden
    assert grants.subscribe
    assert not grants.publish
    assert not grants.publish_data
    assert grants.expires == 2e9 + 600


def test_the_publisher_is_visible_by_name_and_may_not_subscribe() -> None:
    encoded = KeyPair("key", SECRET).publisher("room", "me", "Reactions", now=2e9)
    grants = read_grants(encoded, "test")
    assert not grants.hidden
    assert not grants.subscribe
    assert grants.publish
    assert grants.publish_data


def test_our_participants_are_agents_who_keep_no_room_open() -> None:
    now = 1e9
    encoded = KeyPair("key", SECRET).publisher("room", "me", "Reactions", now)
    decoded = jwt.decode(encoded, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert decoded["kind"] == "agent"
    assert decoded["name"] == "Reactions"
    assert decoded["nbf"] < now < decoded["exp"]


def test_a_short_secret_as_of_a_server_in_its_dev_mode_does() -> None:
    encoded = KeyPair("devkey", "secret").watcher("room", "me", now=2e9)
    assert read_grants(encoded, "test").room == "room"


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
        ({"LIVEKIT_API_KEY": "key"}, "LIVEKIT_API_SECRET not set"),
        ({"LIVEKIT_API_SECRET": SECRET, "LIVEKIT_API_KEY": " "}, "LIVEKIT_API_KEY not set"),
    ],
)
def test_what_is_missing_is_named(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(ConfigError, match=missing) as error:
        access_from(ROOM, environ)
    assert SECRET not in str(error.value)


def test_a_token_goes_before_key_and_secret() -> None:
    access = access_from(ROOM, {**KEYS, "LIVEKIT_TOKEN": token("room", "me")})
    assert isinstance(access, GivenToken)
    assert access.grants.identity == "me"


def test_the_address_own_token_goes_before_all() -> None:
    linked = LiveKitUrl("wss://sfu.example", "", token("room", "linked"))
    access = access_from(linked, {"LIVEKIT_TOKEN": token("room", "me")})
    assert isinstance(access, GivenToken)
    assert access.grants.identity == "linked"


def test_a_token_for_another_room_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="for the room 'other'"):
        access_from(ROOM, {"LIVEKIT_TOKEN": token("other", "me")})


def test_a_token_that_may_not_watch_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="doesn't let its bearer watch"):
        access_from(ROOM, {"LIVEKIT_TOKEN": token("room", "me", canSubscribe=False)})


def test_grants_that_are_not_set_are_given() -> None:
    grants = read_grants(token("room", "me"), "test")
    assert grants.subscribe
    assert grants.publish
    assert grants.publish_data
    assert not grants.hidden


@pytest.mark.parametrize(
    ("video", "shows"),
    [({}, True), ({"hidden": True}, False), ({"canPublish": False}, False)],
)
def test_tracks_of_a_hidden_participant_are_not_shown(video: dict[str, bool], shows: bool) -> None:
    assert read_grants(token("room", "me", **video), "test").shows is shows


def test_data_follows_publishing_unless_it_is_said() -> None:
    assert not read_grants(token("room", "me", canPublish=False), "test").publish_data
    odd = token("room", "me", canPublish=False, canPublishData=True)
    assert read_grants(odd, "test").publish_data


@given(st.text())
def test_what_is_no_token_is_not_repeated(text: str) -> None:
    text = f"secret{text}"
    with pytest.raises(ConfigError, match="not a token") as error:
        read_grants(text, "LIVEKIT_TOKEN")
    assert text not in str(error.value)


def test_a_token_that_is_not_for_joining_is_a_mistake() -> None:
    other = jwt.encode({"video": {"roomList": True}}, SECRET, algorithm="HS256")
    with pytest.raises(ConfigError, match="not a token"):
        read_grants(other, "LIVEKIT_TOKEN")


def test_secrets_are_not_shown() -> None:
    given_token = token("room", "me")
    for access in (
        access_from(ROOM, KEYS),
        access_from(ROOM, {"LIVEKIT_TOKEN": given_token}),
    ):
        assert SECRET not in repr(access)
        assert given_token not in repr(access)
