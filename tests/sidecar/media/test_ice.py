"""ICE candidates and ICE servers."""

import pytest
from aiortc import RTCIceServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from config.settings import IceServer
from sidecar.media.ice import (
    CandidateBuffer,
    choose_servers,
    configured_servers,
    drop_unusable_candidates,
    is_usable,
    parse_candidate,
    rank_servers,
    usable_candidate,
)


def urls(servers: list[RTCIceServer]) -> list[object]:
    return [server.urls for server in servers]


def test_each_adds_more_delay_than_the_one_before() -> None:
    named = [
        RTCIceServer(
            ["turns:a:443", "turn:a:443?transport=tcp", "turn:a", "turn:b?transport=udp"], "u", "p"
        )
    ]
    assert urls(rank_servers([RTCIceServer("stun:own")], named)) == [
        "stun:own",
        "turn:a",
        "turn:b?transport=udp",
        "turn:a:443?transport=tcp",
        "turns:a:443",
    ]


def test_one_that_was_of_use_before_goes_first_of_its_kind() -> None:
    named = [RTCIceServer(["turn:a", "turn:b?transport=tcp", "turns:c"])]
    chosen = rank_servers([RTCIceServer("stun:own")], named, proven="turns:c")
    assert urls(chosen) == ["stun:own", "turns:c", "turn:a", "turn:b?transport=tcp"]


def test_each_keeps_its_credentials() -> None:
    (server,) = rank_servers([], [RTCIceServer(["turn:a"], "user", "password")])
    assert (server.username, server.credential) == ("user", "password")


def test_stun_is_used_only_where_we_asked_for_it() -> None:
    assert rank_servers([], [RTCIceServer(["stun:named:3478"])]) == []


def test_what_aiortc_cannot_use_is_left_out() -> None:
    useless = ["stuns:a", "turn:a?transport=sctp", "turns:a?transport=udp", "http://a", "turn:"]
    assert rank_servers([RTCIceServer(useless)], []) == []


@given(st.lists(st.text(max_size=40).map(lambda text: f"turn:{text}"), max_size=50))
def test_any_addresses_do_no_harm(texts: list[str]) -> None:
    assert len(rank_servers([], [RTCIceServer(texts)])) <= 32


GROUP = RTCIceServer(
    ["turns:h:443", "turn:h:1194?transport=tcp", "turn:h:1194", "stun:h"], "name", "secret"
)


def test_turn_over_udp_is_the_best() -> None:
    assert choose_servers([], [GROUP]) == [RTCIceServer("turn:h:1194", "name", "secret")]


def test_each_failure_tries_the_next_best() -> None:
    urls = [
        server.urls
        for attempt in range(4)
        for server in choose_servers([], [GROUP], attempt=attempt)
    ]
    assert urls == ["turn:h:1194", "turn:h:1194?transport=tcp", "turns:h:443", "turn:h:1194"]


def test_our_own_go_before_the_groups() -> None:
    own = [RTCIceServer("stun:mine"), RTCIceServer("turn:mine", "me", "secret")]
    assert choose_servers(own, [GROUP]) == own


def test_without_any_there_is_none() -> None:
    assert choose_servers([], []) == []


@given(st.lists(st.text() | st.text().map("turn:{}".format), max_size=5), st.integers(0, 99))
def test_odd_addresses_are_left_out(urls: list[str], attempt: int) -> None:
    assert len(choose_servers([], [RTCIceServer(urls)], attempt=attempt)) <= 1


HOST = "candidate:1 1 UDP 2122252543 192.0.2.1 50000 typ host"


@pytest.mark.parametrize("prefix", ["", "a="])
def test_a_candidate_is_parsed_with_and_without_the_attribute(prefix: str) -> None:
    candidate = parse_candidate(prefix + HOST, mid="0")
    assert (candidate.ip, candidate.port, candidate.type) == ("192.0.2.1", 50000, "host")
    assert (candidate.sdpMid, candidate.sdpMLineIndex) == ("0", None)


def test_a_candidate_of_no_section_belongs_to_the_first() -> None:
    assert parse_candidate(HOST).sdpMLineIndex == 0


MALFORMED = [
    "",
    "candidate:",
    "candidate:1 1 UDP",
    HOST.replace("50000", "many"),
    HOST.replace("50000", "70000"),
    HOST + " rport x" * 9,
    HOST + "x" * 2000,
]


@pytest.mark.parametrize("line", MALFORMED)
def test_a_malformed_candidate_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="ICE candidate"):
        parse_candidate(line)


UNUSABLE = {
    "mDNS name": HOST.replace("192.0.2.1", "f1a2.local"),
    "host name": HOST.replace("192.0.2.1", "media.example"),
    "TCP": HOST.replace("UDP", "tcp") + " tcptype passive",
    "unknown type": HOST.replace("typ host", "typ odd"),
}


@pytest.mark.parametrize("line", UNUSABLE.values(), ids=UNUSABLE)
def test_what_aioice_cannot_check_is_not_usable(line: str) -> None:
    assert not is_usable(parse_candidate(line))
    assert usable_candidate({"candidate": line, "sdpMid": "0"}) is None


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_an_address_over_udp_is_usable(address: str) -> None:
    candidate = usable_candidate({"candidate": HOST.replace("192.0.2.1", address), "sdpMid": "v"})
    assert candidate is not None
    assert (candidate.ip, candidate.sdpMid) == (address, "v")


@pytest.mark.parametrize("line", MALFORMED)
def test_a_malformed_candidate_of_a_message_is_ignored(line: str) -> None:
    assert usable_candidate({"candidate": line, "sdpMid": "0"}) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
    | st.fixed_dictionaries(
        {"candidate": st.text() | st.integers() | st.text().map(f"{HOST} ".__add__)},
        optional={"sdpMid": st.text() | st.integers(), "sdpMLineIndex": st.text() | st.booleans()},
    )
)
def test_any_json_is_a_candidate_or_none(init: object) -> None:
    candidate = usable_candidate(init)
    assert candidate is None or is_usable(candidate)


def sdp(*candidates: str) -> str:
    lines = ["v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", *(f"a={line}" for line in candidates)]
    return "\r\n".join([*lines, "a=end-of-candidates", "a=mid:0", ""])


def test_unusable_candidates_are_dropped_from_a_description_with_the_end_of_candidates() -> None:
    kept = drop_unusable_candidates(sdp(HOST, *UNUSABLE.values(), "candidate:odd"))
    assert kept == sdp(HOST).replace("a=end-of-candidates\r\n", "")


def test_a_description_of_usable_candidates_stays_as_it_is() -> None:
    assert drop_unusable_candidates(sdp(HOST)) == sdp(HOST)


def test_a_buffer_keeps_candidates_in_order_up_to_a_limit() -> None:
    buffer, candidates = CandidateBuffer(2), [parse_candidate(HOST, mid=mid) for mid in "abc"]
    for candidate in candidates:
        buffer.add(candidate)
    assert (len(buffer), buffer.dropped) == (2, 1)
    assert buffer.take() == candidates[:2]
    assert buffer.take() == []


def test_servers_of_the_settings_keep_their_credentials() -> None:
    configured = [
        IceServer(url="turn:h", username="ada", credential=SecretStr("secret")),
        IceServer(url="stun:h"),
    ]
    assert configured_servers(configured) == (
        RTCIceServer("turn:h", "ada", "secret"),
        RTCIceServer("stun:h"),
    )


def test_one_that_worked_before_is_chosen_first() -> None:
    chosen = choose_servers([], [GROUP], proven="turns:h:443")
    assert [server.urls for server in chosen] == ["turns:h:443"]
