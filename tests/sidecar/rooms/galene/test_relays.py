"""Which ICE servers are used."""

from aiortc import RTCIceServer
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.galene.relays import choose

GROUP = RTCIceServer(
    ["turns:h:443", "turn:h:1194?transport=tcp", "turn:h:1194", "stun:h"], "name", "secret"
)


def test_turn_over_udp_is_the_best() -> None:
    assert choose([], [GROUP]) == [RTCIceServer("turn:h:1194", "name", "secret")]


def test_each_failure_tries_the_next_best() -> None:
    urls = [server.urls for attempt in range(4) for server in choose([], [GROUP], attempt)]
    assert urls == ["turn:h:1194", "turn:h:1194?transport=tcp", "turns:h:443", "turn:h:1194"]


def test_our_own_go_before_the_groups() -> None:
    own = [RTCIceServer("stun:mine"), RTCIceServer("turn:mine", "me", "secret")]
    assert choose(own, [GROUP]) == own


def test_without_any_there_is_none() -> None:
    assert choose([], []) == []


@given(st.lists(st.text() | st.text().map("turn:{}".format), max_size=5), st.integers(0, 99))
def test_odd_addresses_are_left_out(urls: list[str], attempt: int) -> None:
    assert len(choose([], [RTCIceServer(urls)], attempt)) <= 1
