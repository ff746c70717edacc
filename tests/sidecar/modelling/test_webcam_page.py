"""What the teaching page calls: frames within limits, the lesson's turns, and what is deleted."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from config.errors import ModelError
from reactions.bundle import ModelBundle
from reactions.training.evaluation.intervals import share_of
from reactions.training.taught_examples import Example
from reactions.training.teach import TaughtResult, TeachFigures
from sidecar.modelling.sources import TeachPicture
from sidecar.modelling.teach import Examples, Move, TaughtBundle, TeachOptions
from sidecar.modelling.webcam_frames import MAX_FRAME, MAX_FRAMES
from sidecar.modelling.webcam_lesson import LessonPhase, WebcamLesson
from sidecar.modelling.webcam_page import teach_at_webcam
from sidecar.modelling.webcam_routes import WebcamRoutes, teaching_app
from sidecar.server.page_access import PageAccess
from tests.taught import taught_bundle, taught_label

Client = TestClient[Any, Any]


class BrightReader:
    """Finds a hand in bright pictures alone."""

    def add(self, picture: TeachPicture, examples: Examples, *, again: bool = False) -> bool:
        found = bool(picture.pixels.mean() > 128)
        if found:
            points = np.full((21, 2), 16, np.float32)
            example = Example(0, np.zeros(3, np.float32), points, left=False)
            (examples.shown if picture.shows else examples.other).append(example)
        return found


class ScriptedTeacher:
    """Makes a bundle once ``allowed``; fails where there are no examples."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "taught-1"
        self.allowed = threading.Event()
        self.allowed.set()
        self.asked = threading.Event()
        """Set once a bundle is to be used."""
        self.examples = Examples()
        self.used: list[str] = []

    def teach(self, examples: Examples, move: Move) -> TaughtBundle:
        self.examples = examples
        if not examples.shown:
            raise ModelError("a hand is found in 0 pictures, 5 are needed")
        move(0.5, "learning")
        while not self.allowed.wait(0.01):
            move(0.5, "learning")
        label = taught_label("vulcan")
        bundle = ModelBundle.read(taught_bundle(self.folder, label))
        figures = TeachFigures(*(share_of([True]),) * 3, alike=(), shapes={})
        return TaughtBundle(bundle, label, TaughtResult(label.network, 0.6, (), figures))

    def use(self, taught: TaughtBundle) -> None:
        self.asked.set()
        self.allowed.wait()
        self.used.append(taught.bundle.name)


@pytest.fixture
def teacher(tmp_path: Path) -> ScriptedTeacher:
    return ScriptedTeacher(tmp_path)


@asynccontextmanager
async def page(
    teacher: ScriptedTeacher, *, logged_in: bool = True
) -> AsyncIterator[tuple[Client, WebcamLesson]]:
    lesson, access = WebcamLesson(BrightReader, teacher), PageAccess("sidecar model teach")
    app = teaching_app(WebcamRoutes(lesson, TeachOptions("vulcan")), access)
    jar = aiohttp.CookieJar(unsafe=True)
    async with lesson, TestClient(TestServer(app), cookie_jar=jar) as client:
        if logged_in:
            await client.get("/", params={"code": access.new_code()})
        yield client, lesson


def jpeg(grey: int = 255, size: tuple[int, int] = (32, 32), kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (grey, grey, grey)).save(buffer, kind)
    return buffer.getvalue()


async def send(client: Client, data: bytes, part: str = "shown") -> tuple[int, Any]:
    headers = {"Content-Type": "image/jpeg"}
    answer = await client.post(
        f"/teaching/frames?part={part}", data=io.BytesIO(data), headers=headers
    )
    return answer.status, await answer.json()


async def step(client: Client, name: str) -> tuple[int, Any]:
    answer = await client.post(f"/teaching/{name}", json={})
    return answer.status, await answer.json()


async def reached(lesson: WebcamLesson, phase: LessonPhase) -> None:
    async with asyncio.timeout(20):
        await lesson.changed.wait_for(lambda: lesson.state.phase is phase)


async def test_frames_are_read_shown_and_removed(teacher: ScriptedTeacher) -> None:
    async with page(teacher) as (client, _):
        status, bright = await send(client, jpeg())
        assert (status, bright["found"]) == (200, True)
        assert bright["outlines"] == [[[0.5, 0.5]] * 21]
        _, dark = await send(client, jpeg(0), "other")
        assert (dark["found"], dark["outlines"]) == (False, [])
        answer = await client.get(f"/teaching/frames/{bright['number']}")
        assert await answer.read() == jpeg()
        assert answer.headers["Cache-Control"] == "no-store"
        await client.delete(f"/teaching/frames/{bright['number']}")
        assert (await client.get(f"/teaching/frames/{bright['number']}")).status == 404
        left = await (await client.delete("/teaching/frames?part=other")).json()
        assert left["frames"] == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"no picture", 422),
        (jpeg(kind="PNG"), 422),
        (jpeg(size=(1281, 1281)), 422),
        (b"\0" * (MAX_FRAME + 1), 413),
    ],
)
async def test_what_is_no_small_jpeg_is_refused(
    teacher: ScriptedTeacher, data: bytes, status: int
) -> None:
    async with page(teacher) as (client, lesson):
        assert (await send(client, data))[0] == status
        assert lesson.frames.of(True) == []


async def test_a_part_has_a_limited_number_of_frames(teacher: ScriptedTeacher) -> None:
    async with page(teacher) as (client, lesson):
        for _ in range(MAX_FRAMES):
            await lesson.add(shows=True, jpeg=jpeg(size=(8, 8)))
        status, answer = await send(client, jpeg())
        assert (status, answer["do"]) == (409, "remove some, or record again")
        assert (await send(client, jpeg(), "other"))[0] == 200


async def test_what_is_accepted_is_used_and_frames_are_forgotten(teacher: ScriptedTeacher) -> None:
    async with page(teacher) as (client, lesson):
        for part in ("shown", "shown", "other"):
            await send(client, jpeg(), part)
        assert (await step(client, "accept"))[0] == 409
        assert (await step(client, "teach"))[1]["phase"] == "teaching"
        await reached(lesson, LessonPhase.TAUGHT)
        assert [one.picture for one in teacher.examples.shown] == [0, 1]
        assert [one.picture for one in teacher.examples.other] == [2]
        assert teacher.used == []
        _, answer = await step(client, "accept")
        assert (answer["phase"], answer["frames"]) == ("accepted", [])
        assert answer["taught"]["figures"][0]["label"] == "vulcan"
        assert teacher.used == ["taught-1"]
    assert teacher.folder.is_dir()


async def test_what_is_discarded_is_deleted_and_can_be_taught_again(
    teacher: ScriptedTeacher,
) -> None:
    async with page(teacher) as (client, lesson):
        await send(client, jpeg())
        for _ in range(2):
            await step(client, "teach")
            await reached(lesson, LessonPhase.TAUGHT)
            assert teacher.folder.is_dir()
            _, answer = await step(client, "discard")
            assert (answer["phase"], len(answer["frames"])) == ("recording", 1)
            assert not teacher.folder.is_dir()


async def test_frames_that_are_being_read_count_as_well(teacher: ScriptedTeacher) -> None:
    async with page(teacher) as (client, lesson):
        sent = [send(client, jpeg()) for _ in range(MAX_FRAMES + 20)]
        answers = await asyncio.gather(*sent)
        assert [status for status, _ in answers].count(200) == MAX_FRAMES
        assert len(lesson.frames.of(True)) == MAX_FRAMES
        # What is refused takes no place.
        lesson.clear(True)
        assert (await send(client, b"no JPEG"))[0] == 422
        assert [(await send(client, jpeg()))[0] for _ in range(3)] == [200] * 3


async def test_what_is_accepted_is_not_discarded_at_the_same_moment(
    teacher: ScriptedTeacher,
) -> None:
    async with page(teacher) as (client, lesson):
        await send(client, jpeg())
        await step(client, "teach")
        await reached(lesson, LessonPhase.TAUGHT)
        await asyncio.gather(lesson.accept(), lesson.discard(), return_exceptions=True)
        assert lesson.state.phase is LessonPhase.ACCEPTED
    assert teacher.used == ["taught-1"]
    assert teacher.folder.is_dir()


async def test_a_command_that_ends_while_a_bundle_is_accepted_keeps_it(
    teacher: ScriptedTeacher,
) -> None:
    async with page(teacher) as (client, lesson):
        await send(client, jpeg())
        await step(client, "teach")
        await reached(lesson, LessonPhase.TAUGHT)
        teacher.allowed.clear()
        accepting = asyncio.ensure_future(lesson.accept())
        await asyncio.to_thread(teacher.asked.wait)
        accepting.cancel()
        teacher.allowed.set()
    assert teacher.used == ["taught-1"]
    assert teacher.folder.is_dir()


async def test_too_few_frames_are_said_and_more_can_be_taken(teacher: ScriptedTeacher) -> None:
    async with page(teacher) as (client, lesson):
        await send(client, jpeg(0))
        _, before = await step(client, "teach")
        answer = await client.get(f"/teaching/lesson?after={before['version']}")
        state = await answer.json()
        assert (state["phase"], state["error"]) == ("recording", lesson.state.error)
        assert "5 are needed" in state["error"]
        assert (await send(client, jpeg()))[0] == 200


@pytest.mark.parametrize("when", ["teaching", "taught"])
async def test_a_command_that_ends_leaves_no_bundle(teacher: ScriptedTeacher, when: str) -> None:
    async with page(teacher) as (client, lesson):
        await send(client, jpeg())
        if when == "teaching":
            teacher.allowed.clear()
        await step(client, "teach")
        if when == "taught":
            await reached(lesson, LessonPhase.TAUGHT)
        assert (await send(client, jpeg()))[0] == 409
    assert not teacher.folder.exists()


async def test_other_sites_and_other_users_are_refused(teacher: ScriptedTeacher) -> None:
    async with page(teacher, logged_in=False) as (client, _):
        assert (await send(client, jpeg()))[0] == 401
        answer = await client.get("/")
        assert "sidecar model teach" in (await answer.json())["do"]
    async with page(teacher) as (client, _):
        form = await client.post("/teaching/teach", data={"a": "b"})
        assert form.status == 415
        assert (await client.get("/", headers={"Host": "evil.example"})).status == 421


async def test_the_command_ends_once_its_label_is_accepted(teacher: ScriptedTeacher) -> None:
    lesson = WebcamLesson(BrightReader, teacher)
    said: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        options = TeachOptions("vulcan")
        running = tasks.create_task(
            teach_at_webcam(lesson, options, port=0, browser=False, say=said.append)
        )
        async with asyncio.timeout(20):
            while not said:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        address = said[0].split(" at ")[1].split(" ")[0]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            base = address.partition("/?")[0]
            async with http.get(address) as answer:
                assert answer.status == 200
            headers = {"Content-Type": "image/jpeg"}
            url = f"{base}/teaching/frames?part=shown"
            async with http.post(url, data=jpeg(), headers=headers) as answer:
                assert answer.status == 200
            async with http.post(f"{base}/teaching/teach", json={}):
                await reached(lesson, LessonPhase.TAUGHT)
            async with http.post(f"{base}/teaching/accept", json={}) as answer:
                assert (await answer.json())["phase"] == "accepted"
    taught = running.result()
    assert taught is not None
    assert taught.bundle.name == "taught-1"
