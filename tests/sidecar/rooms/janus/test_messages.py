"""Messages to and from a Janus server."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.sensitivity import Sensitivity
from sidecar.rooms.base import Consent
from sidecar.rooms.janus.messages import (
    MAX_BYTES,
    MAX_COMMAND_TEXT,
    MAX_NAME,
    VideoRoomRequests,
    consent_in_data,
    parse_messages,
    sensitivity_in_data,
    split_display,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_anything_is_read_without_an_error(text: str | bytes) -> None:
    for message in parse_messages(text):
        assert message.kind
        assert message.participants is not None


@given(
    st.dictionaries(st.sampled_from(["id", "display", "publisher", "type", "mid", "codec"]), JSON)
)
def test_rows_of_any_kind_are_read_or_left_out(row: dict[str, object]) -> None:
    data = {"videoroom": "participants", "participants": [row], "streams": [row]}
    (message,) = parse_messages(json.dumps({"janus": "event", "plugindata": {"data": data}}))
    assert len(message.participants) <= 1
    assert len(message.streams) <= 1


def test_a_long_poll_brings_several() -> None:
    text = json.dumps([{"janus": "ack"}, 3, {"janus": "timeout"}, {"jan": "us"}])
    assert [message.kind for message in parse_messages(text)] == ["ack", "timeout"]


def test_names_and_messages_have_limits() -> None:
    row = {"id": 1, "display": "x" * 1000, "publisher": True}
    data = {"videoroom": "participants", "participants": [row]}
    (message,) = parse_messages(json.dumps({"janus": "success", "plugindata": {"data": data}}))
    assert len(message.participants[0].display) == MAX_NAME
    assert parse_messages(json.dumps({"janus": "x" * MAX_BYTES})) == ()
    assert parse_messages("[" * 100_000) == ()


def test_the_pin_and_the_private_id_go_with_a_join_where_there_are_any() -> None:
    plain, locked = VideoRoomRequests(1), VideoRoomRequests(1, "sesame")
    assert "pin" not in plain.join_subscriber(5)
    assert "private_id" not in plain.join_subscriber(5)
    assert locked.join_subscriber(5, 7)["pin"] == "sesame"
    assert locked.join_subscriber(5, 7)["private_id"] == 7
    assert locked.join_publisher("Ada")["pin"] == "sesame"
    assert "sesame" not in repr(locked)


@pytest.mark.parametrize(
    ("text", "consent"),
    [
        ("!reactions off", Consent.OPT_OUT),
        (" /Reactions ON ", Consent.OPT_IN),
        ('{"textroom": "message", "text": "!reactions off"}', Consent.OPT_OUT),
        ('{"from": "Ada", "body": "!reactions on"}', Consent.OPT_IN),
        ("please write !reactions off", None),
        ('{"text": "hello", "count": 3}', None),
        ('["!reactions off"]', None),
        ("", None),
        ("[" * 2000, None),
        ("!reactions off" + " " * MAX_COMMAND_TEXT, None),
    ],
)
def test_a_command_is_taken_plain_or_as_a_field_of_json(text: str, consent: Consent | None) -> None:
    assert consent_in_data(text) is consent


@pytest.mark.parametrize(
    ("display", "name", "consent"),
    [
        ("Ada", "Ada", None),
        ("Ada !reactions off", "Ada", Consent.OPT_OUT),
        ("Ada L. /reactions on ", "Ada L.", Consent.OPT_IN),
        ("!reactions off", "", Consent.OPT_OUT),
        ("Ada !reactions maybe", "Ada !reactions maybe", None),
        ("!reactions off Ada", "!reactions off Ada", None),
    ],
)
def test_a_command_may_stand_behind_a_name(
    display: str, name: str, consent: Consent | None
) -> None:
    assert split_display(display) == (name, consent)


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    consent_in_data(text)
    name, consent = split_display(text)
    assert consent is not None or name == text


@pytest.mark.parametrize("text", ["!reactions calm", '{"text": "!reactions calm"}'])
def test_a_choice_of_sensitivity_is_found_in_a_data_message(text: str) -> None:
    assert sensitivity_in_data(text) is Sensitivity.CALM
    assert sensitivity_in_data("calm") is None
