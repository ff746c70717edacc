"""Fragments of candidates and the tags that guard them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import HttpRefusalError
from sidecar.media.ice import MAX_CANDIDATES
from sidecar.rooms.hosted.trickle import CONTENT_TYPE, check_entity, read_fragment

FRAGMENT = """a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
m=video 9 RTP/AVP 0
a=mid:0
a=candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host
a=candidate:2 1 udp 2122260222 1b2c.local 5001 typ host
a=end-of-candidates
"""


def refusal(body: str, content_type: str = CONTENT_TYPE) -> int:
    with pytest.raises(HttpRefusalError) as caught:
        read_fragment(body.encode(), content_type)
    return caught.value.status


def status(body: str) -> int:
    """What a PATCH of ``body`` would be answered."""
    try:
        read_fragment(body.encode(), CONTENT_TYPE)
    except HttpRefusalError as error:
        return error.status
    return 204


def test_a_fragment_brings_candidates_of_its_section() -> None:
    fragment = read_fragment(FRAGMENT.encode(), CONTENT_TYPE)
    assert [(each.ip, each.port, each.sdpMid) for each in fragment] == [("192.0.2.1", 5000, "0")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("a=mid:0\na=candidate:nonsense\n", 400),
        ("a=mid:0\na=candidate:1 1 udp x 192.0.2.1 y typ host\n", 400),
        ("a=candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host\n", 400),
        (FRAGMENT + FRAGMENT.splitlines()[4].join(["", "\n"]) * MAX_CANDIDATES, 413),
        ("x" * 100_000, 413),
    ],
)
def test_a_bad_fragment_is_refused(body: str, status: int) -> None:
    assert refusal(body) == status


def test_another_content_type_is_415() -> None:
    assert refusal(FRAGMENT, "application/sdp") == 415


@given(st.text(max_size=200))
def test_any_text_is_refused_or_taken_but_never_breaks_it(text: str) -> None:
    assert status(f"a=mid:0\na=candidate:{text}") in {204, 400}


@pytest.mark.parametrize("header", ['"tag"', '"other", "tag"'])
def test_a_patch_that_names_the_ice_session_passes(header: str) -> None:
    check_entity(header, '"tag"')


@pytest.mark.parametrize(
    ("header", "status"), [(None, 428), ('"old"', 412), ("tag", 412), ("*", 422)]
)
def test_a_patch_that_does_not_is_refused_with_a_reason(header: str | None, status: int) -> None:
    with pytest.raises(HttpRefusalError) as caught:
        check_entity(header, '"tag"')
    assert caught.value.status == status
