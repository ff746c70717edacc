"""Streams as users write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.rooms.whep.addresses import is_stream, parse_streams


@pytest.mark.parametrize("text", ["whep+https://h/a", " WHEP+http://h/a,whep+http://h/b "])
def test_streams_are_recognised(text: str) -> None:
    assert is_stream(text)


@pytest.mark.parametrize("text", ["https://h/a", "whip+https://h/a", "whep://h", ""])
def test_nothing_else_is(text: str) -> None:
    assert not is_stream(text)


def test_many_streams_each_under_its_own_name() -> None:
    text = "whep+https://h/door/whep, whep+http://h:1/a,b?c=d,e#Ada%20L.\nWHEP+http://h/door/whep,"
    streams = parse_streams(text, "token")
    assert [stream.name for stream in streams] == ["door", "Ada L.", "door 2"]
    assert [stream.endpoint.url for stream in streams] == [
        "https://h/door/whep",
        "http://h:1/a,b?c=d,e",
        "http://h/door/whep",
    ]
    assert all(stream.endpoint.authorization == "Bearer token" for stream in streams)


def test_a_stream_without_a_path_is_named_by_its_host() -> None:
    assert parse_streams("whep+https://cam.example/whep")[0].name == "cam.example"


def test_too_many_streams_are_refused() -> None:
    with pytest.raises(ConfigError, match="50 streams"):
        parse_streams(" ".join(["whep+https://h/a"] * 50))


@given(st.text())
def test_any_text_after_the_scheme_is_a_stream_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert all(stream.name for stream in parse_streams(f"whep+https://{text}"))
