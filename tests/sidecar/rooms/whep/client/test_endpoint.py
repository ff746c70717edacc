"""Addresses of endpoints."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.rooms.whep.client.endpoint import EndpointKind, WhipEndpoint, endpoint


@pytest.mark.parametrize("url", ["whip+https://host/a?b=c#name", " https://host/a?b=c"])
def test_the_prefix_and_the_fragment_go_and_the_query_stays(url: str) -> None:
    assert endpoint(EndpointKind.WHIP, url) == WhipEndpoint(EndpointKind.WHIP, "https://host/a?b=c")


def test_a_user_in_the_address_is_sent_in_a_header() -> None:
    result = endpoint(EndpointKind.WHEP, "whep+http://ada:a%40b@[::1]:8889/door")
    assert result.url == "http://[::1]:8889/door"
    assert result.authorization == "Basic YWRhOmFAYg=="


def test_a_token_is_a_bearers() -> None:
    assert endpoint(EndpointKind.WHEP, "https://h/x", "abc").authorization == "Bearer abc"


@pytest.mark.parametrize("token", ["a\r\nX: y", "a b", "é"])
def test_a_token_that_would_break_a_header_is_refused_unseen(token: str) -> None:
    with pytest.raises(ConfigError, match="WHIP_TOKEN") as caught:
        endpoint(EndpointKind.WHIP, "https://h/x", token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "host/path", "ftp://h/x", "https://", "https://h:x/", "https://[/"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="HOST/PATH"):
        endpoint(EndpointKind.WHIP, url)


@given(st.one_of(st.text(), st.text().map("https://{}".format)))
def test_any_text_is_taken_or_refused_in_our_own_words(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert endpoint(EndpointKind.WHIP, text).url.startswith(("http://", "https://"))
