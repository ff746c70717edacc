"""One sidecar in another's room: two sessions, two sets of models, one pose."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from config.reaction_rule import ReactionRule
from config.settings import Settings
from sidecar.join import JoinPlan, join
from tests.e2e.conftest import HEARTBEAT, SIZE, PoseTrack, SessionHandle
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.sinks import RecordingSink

pytestmark = pytest.mark.models


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        server={"port": 0, "heartbeat_s": HEARTBEAT, "share_cameras": True},
        rooms={"name": "Other sidecar"},
        stickers={"folders": (tmp_path,)},
        composite={"width": SIZE[0], "height": SIZE[1]},
    )


async def test_another_sidecar_sees_the_camera_and_shows_its_own_composite(
    meeting: SessionHandle,
    ada: PoseTrack,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    tmp_path: Path,
) -> None:
    ada.pose = "thumbs_up"

    def names() -> set[str]:
        return {person.name for person in meeting.session.stats().participants}

    sink = RecordingSink()
    async with meeting.camera("Ada", ada) as client:
        await eventually(lambda: names() == {"Ada"})
        plan = JoinPlan(meeting.server.url("/rooms/e2e"), events=tmp_path / "events.jsonl")
        joining = asyncio.create_task(join(plan, settings, table, event_sinks=[sink]))
        try:
            participant = client.response.headers["Sidecar-Participant"]
            started = ("reaction.started", participant)
            await eventually(lambda: joining.done() or started in sink.delivered(), 60)
            assert not joining.done(), joining.result()
            # The composite is there, as a participant who opted out.
            await eventually(lambda: names() == {"Ada", "Other sidecar"})
            people = {person.name: person for person in meeting.session.stats().participants}
            assert people["Other sidecar"].opted_out
            assert not people["Ada"].opted_out
        finally:
            joining.cancel()
            await asyncio.gather(joining, return_exceptions=True)
        await eventually(lambda: names() == {"Ada"})
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert {event["name"] for event in events if "name" in event} == {"Ada"}
