"""URLs of Janus rooms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.rooms.janus.url import JanusUrl


@pytest.mark.parametrize(
    ("url", "server", "room"),
    [
        ("janus://meet.example/1234", "ws://meet.example:8188/", "1234"),
        ("janus+ws://meet.example:9000/1234/", "ws://meet.example:9000/", "1234"),
        ("janus+wss://meet.example/kitchen", "wss://meet.example:8989/", "kitchen"),
        ("JANUS+WSS://meet.example:443/janus/12", "wss://meet.example:443/janus", "12"),
        ("janus+http://meet.example/1234", "http://meet.example:8088/janus", "1234"),
        ("janus+https://[::1]/api/v1/1234", "https://[::1]:8089/api/v1", "1234"),
        ("janus://meet.example/the%20kitchen", "ws://meet.example:8188/", "the kitchen"),
    ],
)
def test_a_url_names_server_and_room(url: str, server: str, room: str) -> None:
    parsed = JanusUrl.parse(url)
    assert JanusUrl.matches(url)
    assert (parsed.server, parsed.room) == (server, room)


def test_the_pin_in_the_url_comes_before_the_given_one() -> None:
    assert JanusUrl.parse("janus://h/1?pin=a%20b", "given").pin == "a b"
    assert JanusUrl.parse("janus://h/1", "given").pin == "given"
    assert JanusUrl.parse("janus://h/1").pin == ""


def test_neither_pin_nor_user_are_shown() -> None:
    parsed = JanusUrl.parse("janus://ada:secret@h/1?pin=sesame")
    assert "sesame" not in repr(parsed) + parsed.shown
    assert "secret" not in repr(parsed) + parsed.shown


def test_what_is_shown_can_be_pasted_again() -> None:
    for url in ("janus://h/1", "janus+https://h:1/x/y/2", "janus+wss://[::1]/the%20kitchen"):
        assert JanusUrl.parse(JanusUrl.parse(url).shown) == JanusUrl.parse(url)


@pytest.mark.parametrize("url", ["ws://h/1", "https://h/rooms/1", "januses://h/1", "janus:h", ""])
def test_urls_of_other_systems_do_not_match(url: str) -> None:
    assert not JanusUrl.matches(url)


@pytest.mark.parametrize(
    "url",
    [
        "janus://",
        "janus:///1",
        "janus://h",
        "janus://h/",
        "janus://h:x/1",
        "janus://[h/1?pin=sesame",
    ],
)
def test_an_incomplete_url_is_a_clear_error_without_its_pin(url: str) -> None:
    with pytest.raises(ConfigError, match="janus://HOST") as error:
        JanusUrl.parse(url)
    assert "sesame" not in str(error.value)


@given(st.text())
def test_any_other_text_is_a_url_or_a_clear_error(text: str) -> None:
    try:
        parsed = JanusUrl.parse(f"janus://{text}")
    except ConfigError:
        return
    assert parsed.room
    assert parsed.server.startswith("ws://")
