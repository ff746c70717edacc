"""Snapshots of meetings: from a server's API, from a meeting in memory, blurred and pruned."""

import asyncio
import base64
import io
import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from config.errors import DatasetError, RoomError
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Origin
from reactions.datasets.store import changing_dataset, open_dataset, overdue, unlisted
from reactions.geometry import Box
from reactions.labels import LABELS
from reactions.landmark_types import RgbImage
from sidecar.datasets.face_blur import blur_boxes
from sidecar.datasets.snapshot_sources import (
    JoinedMeeting,
    ServerRoom,
    SnapshotSource,
    TakenPicture,
)
from sidecar.datasets.snapshotting import Blur, SnapshotPlan, SnapshotReport, SnapshotTaking
from sidecar.rooms.base import Consent
from sidecar.rooms.memory import MemoryMeeting
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.memory_handle import MemoryAdapter, SlowCamera

ORIGIN = Origin(consent="agreed in the meeting", delete_after=date(2027, 6, 30))
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def noise(seed: int) -> RgbImage:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((96, 72), Image.Resampling.NEAREST))


def jpeg(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(noise(seed)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


class ScriptedRoom:
    """A room that gives one list of pictures a round, or fails."""

    def __init__(self, *rounds: Sequence[TakenPicture] | RoomError) -> None:
        self.room = "standup"
        self.rounds = list(rounds)
        self.open = False

    async def __aenter__(self) -> None:
        self.open = True

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    @property
    def over(self) -> bool:
        return not self.rounds

    async def take(self) -> Sequence[TakenPicture]:
        assert self.open
        found = self.rounds.pop(0)
        if isinstance(found, RoomError):
            raise found
        return found


async def taken(
    folder: Path, source: SnapshotSource, plan: SnapshotPlan, blur: Blur | None = None
) -> tuple[SnapshotReport, list[str], list[float]]:
    problems, waits = ProblemList(), list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    with changing_dataset(folder, create=True) as dataset:
        taking = SnapshotTaking(dataset, plan, problems, blur=blur, now=lambda: NOW, sleep=sleep)
        report = await taking.run([source])
    return report, [str(one) for one in problems], waits


async def test_pictures_are_kept_with_consent_and_a_date_that_prune_reads(tmp_path: Path) -> None:
    room = ScriptedRoom(
        [TakenPicture("p1", "Ada", jpeg(1)), TakenPicture("p2", "", jpeg(2))],
        [TakenPicture("p1", "Ada", jpeg(1)), TakenPicture("p2", "", jpeg(3))],
    )
    report, problems, waits = await taken(tmp_path / "tea", room, SnapshotPlan(ORIGIN, 5.0, 4))
    assert (report.added, report.alike, problems, waits) == (3, 1, [], [5.0, 5.0])
    assert not room.open
    dataset = open_dataset(tmp_path / "tea")
    ada, bob, _ = dataset.records.values()
    assert ada.name == "standup-p1-20261130T120000.jpg"
    assert (ada.origin.person, bob.origin.person) == ("Ada", "p2")
    assert ada.origin.source == "standup 2026-11-30"
    assert ada.origin.consent == (
        "agreed in the meeting (p1, 2026-11-30 12:00 UTC: Opted in to being looked at in the"
        " meeting.)"
    )
    assert ada.origin.delete_after == date(2027, 6, 30)
    assert overdue(dataset, date(2027, 6, 30)) == []
    assert len(overdue(dataset, date(2027, 7, 1))) == 3


@pytest.mark.parametrize(
    "origin", [Origin(), Origin(consent="yes"), Origin(delete_after=date(2027, 1, 1))]
)
async def test_without_consent_or_date_nothing_is_taken(tmp_path: Path, origin: Origin) -> None:
    with pytest.raises(DatasetError, match="need consent and a deletion date"):
        await taken(tmp_path / "tea", ScriptedRoom([]), SnapshotPlan(origin))


async def test_a_round_that_fails_is_listed_and_the_next_goes_on(tmp_path: Path) -> None:
    broken = TakenPicture("p1", "Ada", b"no picture")
    room = ScriptedRoom(
        RoomError("is lost", where="sfu"), [broken], [TakenPicture("p1", "Ada", jpeg(1))]
    )
    report, problems, _ = await taken(tmp_path / "tea", room, SnapshotPlan(ORIGIN))
    assert report.added == 1
    assert problems[0] == "standup: sfu: is lost"
    assert problems[1].startswith("standup: p1: is not a picture")


class BlurLeft:
    """Finds a face in the left half of bright pictures, and none in others."""

    def blurred(self, pixels: RgbImage) -> RgbImage | None:
        bright = pixels.mean() > np.asarray(noise(1)).mean() - 1
        return blur_boxes(pixels, [Box(0.1, 0.2, 0.2, 0.4)]) if bright else None


async def test_pictures_without_a_face_to_blur_are_left_out(tmp_path: Path) -> None:
    dark = io.BytesIO()
    Image.fromarray(noise(2) // 8).save(dark, "JPEG")
    room = ScriptedRoom(
        [TakenPicture("p1", "Ada", jpeg(1)), TakenPicture("p2", "Bob", dark.getvalue())]
    )
    report, _, _ = await taken(tmp_path / "tea", room, SnapshotPlan(ORIGIN), BlurLeft())
    assert (report.added, report.faceless) == (1, 1)
    dataset = open_dataset(tmp_path / "tea")
    (record,) = dataset.records.values()
    with Image.open(dataset.path(record)) as image:
        kept = np.asarray(image).astype(int)
    change = np.abs(kept - noise(1)).mean(axis=2)
    assert change[20:40, 12:26].mean() > 2 * change[:, 60:].mean()


def test_a_blur_leaves_no_detail_of_the_face_and_all_of_the_rest() -> None:
    pixels = noise(3)
    found = blur_boxes(pixels, [Box(0.4, 0.4, 0.3, 0.3), Box(1.2, 0.0, 0.1, 0.1)])
    assert np.array_equal(found[:, :20], pixels[:, :20])
    inside = np.s_[30:48, 40:64]
    assert found[inside].std() < pixels[inside].std() / 3


async def test_a_room_of_a_server(tmp_path: Path) -> None:
    kept = tmp_path / "on-the-server.jpg"
    kept.write_bytes(jpeg(2))
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        if request.match_info["room"] != "r1":
            return web.Response(status=404)
        shared = {"width": 96, "height": 72}
        pictures = [
            {**shared, "participant": "p1", "name": "Ada",
             "jpeg": base64.b64encode(jpeg(1)).decode()},
            {**shared, "participant": "p2", "name": "Bob", "file": str(kept)},
        ]  # fmt: skip
        body = {"room": "r1", "taken": NOW.isoformat(), "note": "Not opted out.",
                "delete_after": "2026-12-30T12:00:00Z", "pictures": pictures}  # fmt: skip
        return web.json_response(body, status=201)

    app = web.Application()
    app.router.add_post("/v1/rooms/{room}/snapshots", answer)
    async with TestServer(app) as server:
        address = str(server.make_url("/"))
        room = ServerRoom(address, "r1", "a-token")
        report, problems, _ = await taken(tmp_path / "tea", room, SnapshotPlan(ORIGIN, rounds=1))
        assert (report.added, problems, seen) == (2, [], ["Bearer a-token"])
        for record in open_dataset(tmp_path / "tea").records.values():
            # The server deletes its own then; what it gave is not kept longer.
            assert record.origin.delete_after == date(2026, 12, 30)
            assert "Not opted out." in record.origin.consent
        kept.unlink()
        room = ServerRoom(address, "r1", "a-token")
        _, problems, _ = await taken(tmp_path / "tea", room, SnapshotPlan(ORIGIN, rounds=1))
        assert "folder that can't be read here" in problems[0]
        room = ServerRoom(address, "none", "a-token")
        _, problems, _ = await taken(tmp_path / "tea", room, SnapshotPlan(ORIGIN, rounds=1))
        assert "answered 404 (name a room by its id" in problems[0]


class InterruptedRoom(ScriptedRoom):
    """A room in which Ctrl-C comes when the second room of a round is asked."""

    async def take(self) -> Sequence[TakenPicture]:
        raise asyncio.CancelledError


async def test_pictures_of_an_interrupted_round_have_their_deletion_date(tmp_path: Path) -> None:
    first = ScriptedRoom([TakenPicture("p1", "Ada", jpeg(1))])
    with changing_dataset(tmp_path / "tea", create=True) as dataset:
        plan = SnapshotPlan(ORIGIN, every=0.0)
        taking = SnapshotTaking(dataset, plan, ProblemList(), now=lambda: NOW)
        with pytest.raises(asyncio.CancelledError):
            await taking.run([first, InterruptedRoom([])])
    kept = open_dataset(tmp_path / "tea")
    assert len(overdue(kept, date(2027, 7, 1))) == 1
    assert unlisted(kept) == []


async def a_named_file(server: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What is taken where the server at ``server`` answers that a picture is in ``path``."""
    shown = {"participant": "p1", "name": "Ada", "width": 96, "height": 72, "file": str(path)}
    body = {
        "room": "r1",
        "taken": NOW.isoformat(),
        "note": "",
        "delete_after": None,
        "pictures": [shown],
    }

    async def ask(room: ServerRoom) -> bytes:
        return json.dumps(body).encode()

    monkeypatch.setattr(ServerRoom, "_ask", ask)
    async with asyncio.timeout(30):
        (picture,) = await ServerRoom(server, "r1", "a-token").take()
    return picture.jpeg


async def test_files_are_read_where_the_server_of_this_machine_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "private.jpg"
    path.write_bytes(jpeg(1))
    assert await a_named_file("http://127.0.0.1:80", path, monkeypatch) == jpeg(1)
    with pytest.raises(DatasetError, match="can't be read here"):
        await a_named_file("http://sidecar.example", path, monkeypatch)


async def test_pipes_devices_and_large_files_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate((64 << 20) + 1)
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path / "large", tmp_path):
        with pytest.raises(DatasetError, match="can't be read here"):
            await a_named_file("http://127.0.0.1:80", path, monkeypatch)


@pytest.mark.parametrize("address", ["http://[x", "http://h:99999", "h:80", "ftp://h", "http://"])
def test_a_server_s_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(DatasetError, match="--server"):
        ServerRoom(address, "r1", "a-token")


async def test_of_a_joined_meeting_participants_who_opted_in_are_kept_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = MemoryMeeting("standup")
    for name in ("ada", "bob", "cleo"):
        meeting.join(name, name.title(), SlowCamera())
    meeting.choose("ada", Consent.OPT_IN)
    meeting.choose("cleo", Consent.OPT_OUT)

    async def find(url: str) -> MemoryAdapter:
        return MemoryAdapter(meeting)

    monkeypatch.setattr("sidecar.datasets.snapshot_sources.find_adapter", find)
    table = load_reaction_table(LABELS, None)
    room = JoinedMeeting("memory://standup", Settings(), table, {})
    async with asyncio.timeout(60), room:
        pictures: Sequence[TakenPicture] = ()
        while not pictures:
            await asyncio.sleep(0.05)
            pictures = await room.take()
        assert [(one.participant, one.name, one.note) for one in pictures] == [
            ("ada", "Ada", "Opted in to being looked at in the meeting.")
        ]
        assert (room.room, room.over, meeting.composite) == ("standup", False, None)
        meeting.end()
        await eventually(lambda: room.over)
        assert list(await room.take()) == []
    assert meeting.rooms == []
