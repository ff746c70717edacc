"""Checks of meetings on real servers, with a camera in them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.settings import Settings
from sidecar.doctor.check import Check, Verdict
from sidecar.doctor.meeting import meeting_checks
from tests.servers.janus import JanusServer, Setup
from tests.servers.livekit import livekit
from tests.sidecar.clients import ColourTrack
from tests.sidecar.rooms.janus.client import camera, client
from tests.sidecar.rooms.livekit.guest import joined

pytestmark = pytest.mark.servers


@dataclass(frozen=True)
class SessionHandle:
    """A meeting with Ada's camera in it, and the keys that it takes."""

    url: str
    environ: dict[str, str] = field(default_factory=dict)

    async def checks(self) -> list[Check]:
        return [check async for check in meeting_checks(self.url, Settings(), self.environ)]


@pytest.fixture(params=["livekit", "janus"])
async def meeting(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SessionHandle]:
    async with AsyncExitStack() as life:
        if request.param == "livekit":
            server = await life.enter_async_context(livekit(tmp_path))
            ada = await life.enter_async_context(joined(server.address, "standup", "ada"))
            await ada.publish(ColourTrack(90))
            yield SessionHandle(server.url("standup"), server.environ)
        else:
            setup = Setup(rooms={"1234": {"publishers": 6}})
            janus = await life.enter_async_context(JanusServer(tmp_path / "janus", setup))
            someone = await life.enter_async_context(client(janus.ports["ws"]))
            await life.enter_async_context(camera(someone, 1234, "Ada", ColourTrack(90)))
            yield SessionHandle(janus.url("1234"))


async def test_every_check_of_a_working_meeting_is_reported(meeting: SessionHandle) -> None:
    checks = await meeting.checks()
    assert [(check.what, check.found) for check in checks if check.verdict is Verdict.WRONG] == []
    whats = [check.what for check in checks]
    assert [what for what in whats if what != "server"] == [
        *("system", "joining", "pictures", "codecs", "candidates", "media path")
    ]
    results = {check.what: check.found for check in checks}
    assert "320x180" in results["pictures"]
    assert "VP8" in results["codecs"]
    assert "host udp" in results["candidates"]
    assert "round trip" in results["media path"]
