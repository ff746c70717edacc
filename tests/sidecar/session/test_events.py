"""Events as JSON, and their fan-out."""

import asyncio
import json

import pytest

from config.errors import CapacityError
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.landmark_types import Side
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.session.events import (
    EventBus,
    Listener,
    ListenerBehindError,
    LiveScores,
    ParticipantJoined,
    ParticipantLeft,
    ReactionStep,
    SessionEvent,
    as_json,
)

BOX = Box(0, 0, 1, 1)
JOINED = ParticipantJoined(1.0, "p-1", "Ada")
LEFT = ParticipantLeft(2.0, "p-1", "Ada", "left")


def scores(participant: str, score: float = 0.5) -> LiveScores:
    return LiveScores(1.0, participant, (LabelScore("smile", score, BOX),), {"smile": 0.25})


async def events_of(listener: Listener) -> list[SessionEvent]:
    """What waits in the mailbox."""
    listener.close()
    return [event async for event in listener]


def test_a_reaction_has_time_participant_label_and_score() -> None:
    event = ReactionEvent(
        ReactionStage.STARTED, 3.14159, "p-1", "thumbs_up", 0.98765, 1.0, BOX, Side.LEFT
    )
    assert as_json(ReactionStep(event, "Ada")) == {
        "event": "reaction.started",
        "t": 3.142,
        "participant": "p-1",
        "name": "Ada",
        "label": "thumbs_up",
        "score": 0.988,
        "progress": 1.0,
        "hand": "left",
    }


@pytest.mark.parametrize("event", [JOINED, LEFT, scores("p-1")])
def test_every_event_is_json_with_its_kind_time_and_participant(event: SessionEvent) -> None:
    encoded = json.loads(json.dumps(as_json(event)))
    assert (encoded["event"], encoded["participant"]) == (event.kind, "p-1")
    assert encoded["t"] == event.time


def test_a_label_seen_twice_is_listed_once_with_its_best_score() -> None:
    twice = (LabelScore("fist", 0.9, BOX, Side.LEFT), LabelScore("fist", 0.2, BOX, Side.RIGHT))
    encoded = as_json(LiveScores(0.0, "p-1", twice, {}))
    assert encoded["labels"] == [{"label": "fist", "score": 0.9, "progress": 0}]


async def test_every_listener_gets_every_event_in_order() -> None:
    bus = EventBus()
    with bus.listen() as one, bus.listen() as other:
        bus.publish(JOINED)
        bus.publish(LEFT)
        assert await events_of(one) == await events_of(other) == [JOINED, LEFT]


async def test_a_new_listener_gets_who_is_present() -> None:
    bus = EventBus()
    bus.publish(JOINED)
    bus.publish(ParticipantJoined(1.5, "p-2", "Bo"))
    bus.publish(LEFT)
    with bus.listen() as listener:
        (event,) = await events_of(listener)
    assert as_json(event) == {
        "event": "participant.joined",
        "t": 1.5,
        "participant": "p-2",
        "name": "Bo",
        "present": True,
    }


async def test_scores_are_sent_to_their_owner_only() -> None:
    bus = EventBus()
    with bus.listen() as public, bus.listen("p-1") as own, bus.listen("p-2") as other:
        bus.publish(scores("p-1"))
        assert await events_of(own) == [scores("p-1")]
        assert await events_of(public) == await events_of(other) == []


async def test_only_the_newest_scores_wait() -> None:
    bus = EventBus()
    with bus.listen("p-1") as own:
        bus.publish(scores("p-1", 0.1))
        bus.publish(scores("p-1", 0.9))
        assert await events_of(own) == [scores("p-1", 0.9)]


async def test_a_listener_that_falls_behind_is_cut_off_and_the_others_are_not() -> None:
    bus = EventBus(capacity=3)
    with bus.listen() as slow, bus.listen() as quick:
        for _ in range(4):
            bus.publish(LEFT)
            assert await anext(quick) == LEFT
        with pytest.raises(ListenerBehindError):
            await anext(slow)
        bus.publish(LEFT)
        assert await anext(quick) == LEFT
    assert bus.cut_off == 1


async def test_subscribers_get_those_present_first_and_each_event_once() -> None:
    bus, got = EventBus(), list[SessionEvent]()
    bus.publish(JOINED)
    with bus.subscribe(got.append):
        bus.publish(scores("p-1"))
        bus.publish(LEFT)
    bus.publish(JOINED)
    assert [event.kind for event in got] == ["participant.joined", "participant.left"]


async def test_more_listeners_than_allowed_are_refused_until_one_goes() -> None:
    bus = EventBus(listeners=1)
    with bus.listen(), pytest.raises(CapacityError, match="1 listeners already"), bus.listen():
        pass
    with bus.listen():
        assert bus.listeners == 1
    assert bus.listeners == 0


async def test_the_end_of_the_session_ends_every_listener() -> None:
    bus = EventBus()
    with bus.listen() as listener:
        waiting = asyncio.ensure_future(events_until_end(listener))
        await asyncio.sleep(0)
        bus.publish(JOINED)
        bus.close()
        assert await waiting == [JOINED]
    with bus.listen() as late:
        assert [event.kind async for event in late] == ["participant.joined"]


async def events_until_end(listener: Listener) -> list[SessionEvent]:
    return [event async for event in listener]
