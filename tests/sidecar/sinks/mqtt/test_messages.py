import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.sinks.mqtt.messages import (
    LONGEST_LEVEL,
    OFFLINE,
    MqttMessage,
    RoomTopics,
    check_prefix,
    topic_level,
)

TIME = "2026-03-01T09:30:12.482+00:00"


def taken(topics: RoomTopics, **event: object) -> list[MqttMessage]:
    return list(topics.take(event, TIME))


def test_a_reaction_is_published_under_its_label() -> None:
    topics = RoomTopics("office", "standup")
    [message] = taken(topics, event="reaction.started", participant="p", label="wave", t=1.5)
    assert message.topic == "office/standup/reactions/wave"
    assert not message.retain
    assert json.loads(message.payload) == {
        "time": TIME,
        "room": "standup",
        "event": "reaction.started",
        "participant": "p",
        "label": "wave",
        "t": 1.5,
    }


def test_the_number_of_participants_is_retained() -> None:
    topics = RoomTopics("sidecar", "standup")
    taken(topics, event="participant.joined", participant="a")
    taken(topics, event="participant.joined", participant="a")
    event, count = taken(topics, event="participant.joined", participant="b")
    assert (event.topic, event.retain) == ("sidecar/standup/participants", False)
    assert count == MqttMessage("sidecar/standup/participants/count", "2", retain=True)
    _, count = taken(topics, event="participant.left", participant="a")
    assert count.payload == "1"


def test_the_progress_of_a_hold_is_not_published() -> None:
    topics = RoomTopics("sidecar", "standup")
    assert taken(topics, event="reaction.progress", participant="p", label="wave") == []


def test_availability_is_retained() -> None:
    message = RoomTopics("sidecar", "a/b+c").availability(OFFLINE)
    assert message == MqttMessage("sidecar/a_b_c/availability", "offline", retain=True)


@given(st.text())
def test_any_name_is_one_level_without_wildcards(text: str) -> None:
    level = topic_level(text)
    assert 1 <= len(level) <= LONGEST_LEVEL
    assert not set("/+#\0") & set(level)
    assert level.encode()


@pytest.mark.parametrize("prefix", ["home/+/x", "a\nb", "a#"])
def test_a_prefix_with_wildcards_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="no topic"):
        check_prefix(prefix)
