from aiortc import RTCIceServer
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.ice_servers import in_order, nth_best


def urls(servers: list[RTCIceServer]) -> list[object]:
    return [server.urls for server in servers]


def test_each_adds_more_delay_than_the_one_before() -> None:
    named = [
        RTCIceServer(
            ["turns:a:443", "turn:a:443?transport=tcp", "turn:a", "turn:b?transport=udp"], "u", "p"
        )
    ]
    assert urls(in_order([RTCIceServer("stun:own")], named)) == [
        "stun:own",
        "turn:a",
        "turn:b?transport=udp",
        "turn:a:443?transport=tcp",
        "turns:a:443",
    ]


def test_one_that_was_of_use_before_goes_first_of_its_kind() -> None:
    named = [RTCIceServer(["turn:a", "turn:b?transport=tcp", "turns:c"])]
    chosen = in_order([RTCIceServer("stun:own")], named, "turns:c")
    assert urls(chosen) == ["stun:own", "turns:c", "turn:a", "turn:b?transport=tcp"]


def test_each_keeps_its_credentials() -> None:
    (server,) = in_order([], [RTCIceServer(["turn:a"], "user", "password")])
    assert (server.username, server.credential) == ("user", "password")


def test_stun_is_used_only_where_we_asked_for_it() -> None:
    assert in_order([], [RTCIceServer(["stun:named:3478"])]) == []


def test_what_aiortc_cannot_use_is_left_out() -> None:
    useless = ["stuns:a", "turn:a?transport=sctp", "turns:a?transport=udp", "http://a", "turn:"]
    assert in_order([RTCIceServer(useless)], []) == []


@given(st.lists(st.text(max_size=40).map(lambda text: f"turn:{text}"), max_size=50))
def test_any_addresses_do_no_harm(texts: list[str]) -> None:
    assert len(in_order([], [RTCIceServer(texts)])) <= 32


GROUP = RTCIceServer(
    ["turns:h:443", "turn:h:1194?transport=tcp", "turn:h:1194", "stun:h"], "name", "secret"
)


def test_turn_over_udp_is_the_best() -> None:
    assert nth_best([], [GROUP]) == [RTCIceServer("turn:h:1194", "name", "secret")]


def test_each_failure_tries_the_next_best() -> None:
    urls = [server.urls for attempt in range(4) for server in nth_best([], [GROUP], attempt)]
    assert urls == ["turn:h:1194", "turn:h:1194?transport=tcp", "turns:h:443", "turn:h:1194"]


def test_our_own_go_before_the_groups() -> None:
    own = [RTCIceServer("stun:mine"), RTCIceServer("turn:mine", "me", "secret")]
    assert nth_best(own, [GROUP]) == own


def test_without_any_there_is_none() -> None:
    assert nth_best([], []) == []


@given(st.lists(st.text() | st.text().map("turn:{}".format), max_size=5), st.integers(0, 99))
def test_odd_addresses_are_left_out(urls: list[str], attempt: int) -> None:
    assert len(nth_best([], [RTCIceServer(urls)], attempt)) <= 1
