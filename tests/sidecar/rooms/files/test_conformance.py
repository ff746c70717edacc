"""What every room must do, for clips that the test makes."""

import shutil
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.rooms.base import Consent, Room
from sidecar.rooms.files.addresses import Clips, parse_recordings
from sidecar.rooms.files.room import FilesRoom
from tests.conformance.room import RoomConformance, RoomHarness, lacks, watched
from tests.sidecar.clients import eventually
from tests.sidecar.media.test_clip_track import make_clip
from tests.sidecar.rooms.attendance import entered

LONG = 1500
"""Frames of a clip, 50 a second: more than any test lasts."""
LATER = 1000.0
"""Seconds after which all clips are over."""


class ClipsHarness:
    """Implements ``RoomHarness``: a participant is a clip, which leaves at its end."""

    def __init__(self, clip: Path, folder: Path) -> None:
        self._clip = clip
        self._folder = folder
        self._ahead = 0.0
        self._lost = False
        self._refused = False
        self._listed = False
        """A room has been made, and with it its clips are known."""

    @property
    def playing(self) -> bool:
        """Whether the thread of a clip runs."""
        return any(thread.name.startswith("camera ") for thread in threading.enumerate())

    def room(self) -> Room:
        self._listed = True
        if not self._refused and not any(self._folder.iterdir()):
            # A folder without clips is not entered.
            shutil.copy(self._clip, self._folder / "Extra.webm")
        source = parse_recordings("rtsp://127.0.0.1:9/door") if self._lost else Clips(self._folder)
        return FilesRoom(source, clock=lambda: time.monotonic() + self._ahead)

    async def join(self, name: str) -> str:
        if self._listed:
            lacks("clips are named before a room is entered")
        shutil.copy(self._clip, self._folder / f"{name}.webm")
        return name

    async def join_unwatchable(self, name: str) -> str:
        (self._folder / f"{name}.webm").write_bytes(b"no video")
        return name

    async def leave(self, participant: str) -> None:
        self._ahead = LATER

    async def choose(self, participant: str, consent: Consent) -> None:
        lacks("clips say nothing about reactions")

    async def composite_arrives(self) -> None:
        lacks("a recording has no viewers")

    async def refuse(self) -> None:
        self._refused = True

    async def put_out(self) -> None:
        lacks("a recording has no viewers")

    async def end(self) -> None:
        self._ahead = LATER

    async def lose(self) -> None:
        if self._listed:
            lacks("a camera that is lost is waited for")
        self._lost = True

    async def recover(self) -> None:
        """Never lost while a room is entered."""

    async def hang(self) -> None:
        """There is no server."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.webm", count=LONG)


class TestFilesRoom(RoomConformance):
    @pytest.fixture
    async def harness(self, clip: Path, tmp_path: Path) -> AsyncIterator[RoomHarness]:
        (folder := tmp_path / "clips").mkdir()
        harness = ClipsHarness(clip, folder)
        yield harness
        await eventually(lambda: not harness.playing)

    async def test_a_camera_that_can_not_be_decoded_has_a_problem_and_disturbs_no_other(
        self, harness: RoomHarness
    ) -> None:
        """A clip that can't be decoded is no participant: it is left out, with a warning."""
        vic = await harness.join_unwatchable("Vic")
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            assert attendance.find(vic) is None
