"""Single messages, and parts of them."""

import json

import pytest
from aiortc import RTCIceServer
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.galene.messages import (
    MAX_ID,
    MAX_MESSAGE,
    MAX_SDP,
    MAX_TEXT,
    GaleneMessage,
    encode_galene_message,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
HOST = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host ufrag abc"


def parse(**fields: object) -> GaleneMessage:
    """The message of these fields."""
    message = GaleneMessage.parse(json.dumps({"type": "x", **fields}))
    assert message is not None
    return message


def test_fields_that_are_none_are_not_sent() -> None:
    text = encode_galene_message("chat", dest=None, value="x")
    assert json.loads(text) == {"type": "chat", "value": "x"}


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "null", "{}", '{"type": []}', "[" * 100_000])
def test_other_texts_are_no_messages(text: str) -> None:
    assert GaleneMessage.parse(text) is None


def test_a_message_that_is_too_long_is_none() -> None:
    assert GaleneMessage.parse(json.dumps({"type": "x" * MAX_MESSAGE})) is None


def test_ids_and_descriptions_that_are_too_long_count_as_absent() -> None:
    message = parse(id="x" * (MAX_ID + 1), sdp="x" * (MAX_SDP + 1), source=3, replace=["x"])
    assert (message.id, message.sdp, message.source, message.replace) == ("", "", "", "")


def test_texts_are_cut_and_shown_on_one_line() -> None:
    assert len(parse(value="x" * 3000).value) == MAX_TEXT
    assert parse(value=" closed \n for today ").text == "closed for today"


def test_only_the_server_is_privileged() -> None:
    assert parse(privileged=True).privileged
    assert not parse(privileged="yes").privileged


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
    assert parse(rtcConfiguration=configuration).ice_servers == (
        RTCIceServer(["turn:h:1194", "turn:h:1194?transport=tcp"], "u", "c"),
        RTCIceServer(["stun:h"]),
    )


@pytest.mark.parametrize(("policy", "relay_only"), [("relay", True), ("all", False), (None, False)])
def test_relaying_is_requested_by_policy(policy: object, relay_only: bool) -> None:
    assert parse(rtcConfiguration={"iceTransportPolicy": policy}).relay_only is relay_only


def test_a_candidate_is_read() -> None:
    found = parse(candidate={"candidate": HOST, "sdpMid": "0", "sdpMLineIndex": 0}).candidate
    assert found is not None
    assert (found.ip, found.port, found.sdpMid) == ("192.0.2.1", 50000, "0")


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"candidate": "", "sdpMid": "0"},
        {"candidate": "candidate:1 1 udp", "sdpMid": "0"},
        {"candidate": HOST.replace("192.0.2.1", "abc.local"), "sdpMid": "0"},
        {"candidate": HOST.replace(" udp ", " tcp "), "sdpMid": "0"},
    ],
)
def test_candidates_that_can_not_be_used_are_left_out(value: object) -> None:
    assert parse(candidate=value).candidate is None


@given(st.dictionaries(st.sampled_from([*GaleneMessage.__slots__, "rtcConfiguration"]), JSON))
def test_no_field_breaks_the_parser(fields: dict[str, object]) -> None:
    GaleneMessage.parse(json.dumps({"type": "x", **fields}))


@given(JSON)
def test_no_part_of_a_field_breaks_the_parser(value: object) -> None:
    parse(candidate={"candidate": value, "sdpMid": value, "sdpMLineIndex": value})
    parse(rtcConfiguration={"iceServers": value, "iceTransportPolicy": value})
    parse(rtcConfiguration={"iceServers": [{"urls": value, "username": value}]})
