"""The command as a user runs it: in a process of its own, with real models, ended by Ctrl-C."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reactions.mannequin import CAST
from tests.e2e.browser import camera_file
from tests.servers.livekit import livekit
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.livekit import guest

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A participant with a thumb up, longer than the test: Ctrl-C comes before the end."""
    folder = tmp_path_factory.mktemp("recording")
    return camera_file(folder, next(iter(CAST.values())), "thumbs_up", fps=10, seconds=20)


@asynccontextmanager
async def joined(*arguments: str, **environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar", "join", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environ},
        limit=2**20,
    )
    try:
        async with asyncio.timeout(120):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_of(process: asyncio.subprocess.Process, kind: str) -> dict[str, object]:
    """The next line on standard output that tells of ``kind``."""
    assert process.stdout is not None
    async for line in process.stdout:
        event: dict[str, object] = json.loads(line)
        if event["event"] == kind and event.get("label") in (None, "thumbs_up"):
            return event
    raise AssertionError(f"ended without telling of {kind}")


async def test_a_recording_gets_reactions_until_ctrl_c(recording: Path, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    async with joined(str(recording), "--publish", "none", "--events", str(log)) as process:
        assert (await line_of(process, "status"))["system"]
        assert (await line_of(process, "reaction.started"))["label"] == "thumbs_up"
        process.send_signal(signal.SIGINT)
        _, complaints = await process.communicate()
        assert process.returncode == 130, complaints.decode()
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert events[0]["event"] == "participant.joined"
    assert "thumbs_up" in {event.get("label") for event in events}
    assert events[-1]["event"] == "participant.left"


def full_pipe() -> tuple[int, int]:
    """A pipe that takes nothing more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    return reading, writing


@pytest.mark.parametrize("both", [False, True], ids=["stdout", "stdout and stderr"])
async def test_a_full_pipe_holds_up_neither_the_meeting_nor_its_end(
    recording: Path, tmp_path: Path, both: bool
) -> None:
    log = tmp_path / "events.jsonl"
    reading, writing = full_pipe()
    arguments = (str(recording), "--publish", "none", "--sink", f"jsonl:{log}")
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sidecar", "join", *arguments),
            stdout=writing,
            stderr=writing if both else asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(120):
            await eventually(lambda: log.exists() and "reaction.started" in log.read_text(), 60)
            process.send_signal(signal.SIGINT)
            _, complaints = await process.communicate()
    finally:
        os.close(reading)
        os.close(writing)
    assert process.returncode == 130, complaints
    if not both:
        assert "sink closed" in complaints.decode()
        assert "console" in complaints.decode()


async def test_labels_that_are_not_asked_for_are_not_reported(
    recording: Path, tmp_path: Path
) -> None:
    log = tmp_path / "events.jsonl"
    options = ("--publish", "none", "--labels", "thumbs_up", "--for", "3s", "--events", str(log))
    async with joined(str(recording), *options) as process:
        await process.communicate()
        assert process.returncode == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert {event["label"] for event in events if "label" in event} == {"thumbs_up"}


async def test_participants_who_did_not_opt_in_are_not_sampled(
    recording: Path, tmp_path: Path
) -> None:
    log = tmp_path / "events.jsonl"
    options = ("--publish", "none", "--consent", "opt-in", "--for", "3s", "--events", str(log))
    async with joined(str(recording), *options) as process:
        await process.communicate()
        assert process.returncode == 0
    kinds = {json.loads(line)["event"] for line in log.read_text().splitlines()}
    assert kinds <= {"participant.joined", "participant.left"}


@pytest.mark.servers
async def test_ctrl_c_takes_the_publisher_out_of_a_real_meeting(tmp_path: Path) -> None:
    async with (
        livekit(tmp_path) as server,
        guest.joined(server.address, "standup", "ada") as ada,
        joined(server.url("standup"), "--as", "Stickers", **server.environ) as process,
    ):
        await eventually(lambda: ada.names() == ["Stickers"], 60)
        process.send_signal(signal.SIGINT)
        _, complaints = await process.communicate()
        assert process.returncode == 130, complaints.decode()
        assert server.environ["LIVEKIT_API_SECRET"] not in complaints.decode()
        await eventually(lambda: ada.names() == [])
