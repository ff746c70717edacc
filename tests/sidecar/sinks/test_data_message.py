"""Reactions as data messages into the meeting."""

from reactions.geometry import Box
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.rooms.memory import MemoryMeeting
from sidecar.session.events import ReactionStep
from sidecar.sinks.data_message import DataMessageSink
from sidecar.sinks.delivery import EventDelivery
from tests.sidecar.sinks.sinks import joined


async def test_started_and_ended_reactions_are_announced_and_nothing_else() -> None:
    meeting = MemoryMeeting()
    async with meeting.room() as room, EventDelivery(DataMessageSink(room)) as delivery:
        delivery.put(joined(1))
        for stage in ReactionStage:
            reaction = ReactionEvent(stage, 1.0, "ada", "wave", 0.9, 0.5, Box(0, 0, 1, 1))
            delivery.put(ReactionStep(reaction, "Ada"))
    assert [event["event"] for event in meeting.announced] == [
        "reaction.started",
        "reaction.ended",
    ]
