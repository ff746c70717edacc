"""Events and status as JSON lines on standard output."""

import json

import pytest

from reactions.geometry import Box
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.session.events import ReactionStep
from sidecar.session.stats import SinkStats, Status
from sidecar.sinks.console import ConsoleSink
from sidecar.sinks.delivery import EventDelivery
from tests.sidecar.sinks.sinks import joined


def status(uptime: float) -> Status:
    sinks = (SinkStats("jsonl:x", 5, 2, "No space left on device"),)
    return Status("Janus", "1234", uptime, 0, 24.9, 2, 1, 0.31, (), (), sinks)


def step(stage: ReactionStage) -> ReactionStep:
    return ReactionStep(ReactionEvent(stage, 1.0, "ada", "wave", 0.9, 0.5, Box(0, 0, 1, 1)), "Ada")


async def test_events_and_a_status_every_five_seconds_are_json_lines(
    capfd: pytest.CaptureFixture[str],
) -> None:
    console = ConsoleSink()
    async with EventDelivery(console) as delivery:
        await console.show(status(10.0))
        await console.show(status(11.0))
        await console.show(status(15.0))
        for event in (joined(1), step(ReactionStage.PROGRESS), step(ReactionStage.STARTED)):
            delivery.put(event)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    kinds = [line["event"] for line in lines]
    assert kinds == ["status", "status", "participant.joined", "reaction.started"]
    assert lines[0]["sinks"] == [
        {"name": "jsonl:x", "delivered": 5, "dropped": 2, "reason": "No space left on device"}
    ]
