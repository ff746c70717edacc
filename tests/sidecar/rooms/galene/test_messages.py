"""Single messages, and parts of them."""

import json

import pytest
from aiortc import RTCIceServer
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.galene import messages

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
HOST = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host ufrag abc"


def test_fields_that_are_none_are_left_out() -> None:
    assert json.loads(messages.write("chat", dest=None, value="x")) == {
        "type": "chat",
        "value": "x",
    }


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "null", "[" * 100_000])
def test_what_is_no_object_is_no_message(text: str) -> None:
    assert messages.read(text) is None


def test_a_message_that_is_too_long_is_none() -> None:
    assert messages.read(json.dumps({"type": "x" * messages.MAX_MESSAGE})) is None


def test_ice_servers_are_read() -> None:
    configuration = {
        "iceServers": [
            {
                "urls": ["turn:h:1194", "turn:h:1194?transport=tcp"],
                "username": "u",
                "credential": "c",
            },
            {"urls": "stun:h"},
            {"urls": 3},
            None,
        ]
    }
    assert messages.ice_servers(configuration) == [
        RTCIceServer(["turn:h:1194", "turn:h:1194?transport=tcp"], "u", "c"),
        RTCIceServer(["stun:h"]),
    ]


def test_relaying_is_asked_for_by_policy() -> None:
    assert messages.relayed({"iceTransportPolicy": "relay"})
    assert not messages.relayed({"iceTransportPolicy": "all"})
    assert not messages.relayed(None)


def test_a_candidate_is_read() -> None:
    found = messages.candidate({"candidate": HOST, "sdpMid": "0", "sdpMLineIndex": 0})
    assert found is not None
    assert (found.ip, found.port, found.sdpMid) == ("192.0.2.1", 50000, "0")


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"candidate": HOST},
        {"candidate": "", "sdpMid": "0"},
        {"candidate": "candidate:1 1 udp", "sdpMid": "0"},
        {"candidate": HOST.replace("192.0.2.1", "abc.local"), "sdpMid": "0"},
    ],
)
def test_other_candidates_are_left_out(value: object) -> None:
    assert messages.candidate(value) is None


@given(JSON)
def test_no_part_of_a_message_breaks_its_reader(value: object) -> None:
    message = {"id": value, "sdp": value, "value": value}
    messages.identifier(message)
    messages.line(message, "value")
    messages.description(message)
    messages.texts(value)
    messages.relayed(value)
    messages.candidate(value)
    messages.candidate({"candidate": value, "sdpMid": value})
    messages.ice_servers(value)
    messages.ice_servers({"iceServers": value})
    messages.ice_servers({"iceServers": [{"urls": value, "username": value}]})
