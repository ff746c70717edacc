"""ICE servers in Link headers."""

from aiortc import RTCIceServer
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.whep.client.link_header import MAX_LINKS, ice_servers, link_value

NAMES = st.text(st.characters(exclude_categories=["C"]), max_size=20)


def test_many_links_in_one_header_and_many_headers() -> None:
    many = (
        '<stun:stun.example>; rel="ice-server", <turn:a.example?transport=tcp>;rel=ice-server;'
        'username="x,y;z";credential="q\\"r";credential-type="password"'
    )
    found = ice_servers([many, '<https://x/>; rel="help"', "</session/beat>; rel=ice-server"])
    assert found == [
        RTCIceServer("stun:stun.example"),
        RTCIceServer("turn:a.example?transport=tcp", "x,y;z", 'q"r'),
    ]


def test_a_server_that_names_hundreds_is_believed_in_part() -> None:
    assert len(ice_servers(["<stun:s>;rel=ice-server"] * 500)) == MAX_LINKS


@given(NAMES, NAMES)
def test_what_our_own_server_writes_is_read_again(user: str, secret: str) -> None:
    written = link_value(RTCIceServer("turn:turn.example:3478", user, secret))
    assert ice_servers([written]) == [RTCIceServer("turn:turn.example:3478", user, secret)]


@given(st.lists(st.one_of(st.text(), st.text('<>;=",\\ relturn:', max_size=200))))
def test_garbage_is_left_out(headers: list[str]) -> None:
    for server in ice_servers(headers):
        assert isinstance(server.urls, str)


def test_a_hostile_header_takes_no_time() -> None:
    assert ice_servers(["<stun:s>" + '; a="' * 100_000, "<stun:s>" + ";a " * 100_000]) == []


def test_a_server_is_written_with_its_credentials_quoted() -> None:
    server = RTCIceServer("turn:turn.example?transport=udp", "ada", 'se"cr\\et')
    assert link_value(server) == (
        '<turn:turn.example?transport=udp>; rel="ice-server"; username="ada"; '
        'credential="se\\"cr\\\\et"; credential-type="password"'
    )
    assert link_value(RTCIceServer("stun:stun.example")) == '<stun:stun.example>; rel="ice-server"'
