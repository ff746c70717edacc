"""What a server says, read leniently."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.janus.messages import MAX_BYTES, MAX_NAME, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_anything_is_read_without_an_error(text: str | bytes) -> None:
    for message in parse(text):
        assert message.kind
        assert message.people is not None


@given(
    st.dictionaries(st.sampled_from(["id", "display", "publisher", "type", "mid", "codec"]), JSON)
)
def test_rows_of_any_kind_are_read_or_left_out(row: dict[str, object]) -> None:
    data = {"videoroom": "participants", "participants": [row], "streams": [row]}
    (message,) = parse(json.dumps({"janus": "event", "plugindata": {"data": data}}))
    assert len(message.people) <= 1
    assert len(message.streams) <= 1


def test_a_long_poll_brings_several() -> None:
    text = json.dumps([{"janus": "ack"}, 3, {"janus": "timeout"}, {"jan": "us"}])
    assert [message.kind for message in parse(text)] == ["ack", "timeout"]


def test_names_and_messages_have_limits() -> None:
    row = {"id": 1, "display": "x" * 1000, "publisher": True}
    data = {"videoroom": "participants", "participants": [row]}
    (message,) = parse(json.dumps({"janus": "success", "plugindata": {"data": data}}))
    assert len(message.people[0].display) == MAX_NAME
    assert parse(json.dumps({"janus": "x" * MAX_BYTES})) == ()
    assert parse("[" * 100_000) == ()
