"""The annotate service as a client sees it: with a scripted detector, and with real models."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from config.errors import SampleDroppedError
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.found_landmarks import FoundLandmarks, HandLandmarks
from reactions.geometry import Box
from reactions.labels import LABELS, LabelScore
from reactions.landmark_types import ModelFamily, Sample, Side
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.pipeline import Care, Detection, Memory, first_memory
from sidecar.inference.detector import Detector, DetectorStats
from sidecar.server.api.annotate_endpoints import AnnotateEndpoints
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator
from sidecar.session.factories import make_detector, make_store
from tests.sidecar.supervisor.world import World

TABLE = load_reaction_table(LABELS, environ={})
BOX = Box(0.25, 0.5, 0.5, 0.25)
HAND = HandLandmarks(Side.RIGHT, 0.9, 0.99, ((0.5, 0.25, -0.01),))
LANDMARKS = FoundLandmarks((HAND,), None, None)


def jpeg(image: Image.Image | None = None) -> bytes:
    buffer = io.BytesIO()
    (image or Image.new("RGB", (640, 360), "grey")).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


class ScriptedDetector:
    """Sees a thumb and half a wave in every picture, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sample, Memory | None, str]] = []
        self.error: Exception | None = None

    async def start(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def detect(
        self, sample: Sample, memory: Memory | None, deadline: float | None = None, *, source: str
    ) -> Detection:
        self.asked.append((sample, memory, source))
        if self.error is not None:
            raise self.error
        answer = first_memory(Care.NONE, sample.width, sample.height)
        assert answer is not None
        scores = (LabelScore("thumbs_up", 0.9, BOX), LabelScore("wave", 0.2, BOX))
        return Detection(scores, None, answer, 4.2, LANDMARKS if sample.landmarks else None)

    def stats(self) -> DetectorStats:
        raise AssertionError("not asked for")


@asynccontextmanager
async def serving(detector: Detector, **options: Any) -> AsyncIterator[TestClient[Any, Any]]:
    annotate = AnnotateEndpoints(detector, TABLE, **options)
    async with World().running() as supervisor:
        system = SystemEndpoints(MetricSources(supervisor), faults=list, drain=lambda: None)
        app = create_api(annotate.endpoints(), system, Authenticator(), ApiOptions("127.0.0.1"))
        async with TestClient(TestServer(app)) as client:
            yield client
    await annotate.aclose()


async def post(
    client: TestClient[Any, Any], data: object, path: str = "", **headers: str
) -> tuple[int, Any]:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(data, bytes):
        headers.setdefault("Content-Type", "image/jpeg")
    async with client.post(f"/v1/annotate{path}", data=data, headers=headers) as answer:
        return answer.status, json.loads(await answer.text())


async def test_a_picture_is_answered_with_its_labels() -> None:
    async with serving(ScriptedDetector()) as client:
        status, answer = await post(client, jpeg())
    thumb, wave = answer["labels"]
    assert (status, answer["width"], answer["height"], answer["error"]) == (200, 640, 360, None)
    assert (thumb["label"], thumb["score"], thumb["fires"]) == ("thumbs_up", 0.9, True)
    assert thumb["box"] == [0.25, 0.5, 0.5, 0.25]
    assert (wave["label"], wave["fires"]) == ("wave", False)
    assert "picture" not in answer


async def test_a_batch_is_answered_with_a_list_in_order() -> None:
    form = aiohttp.FormData()
    form.add_field("a", jpeg(), content_type="image/jpeg", filename="a.jpg")
    form.add_field("b", jpeg(Image.new("RGB", (320, 180))), content_type="image/jpeg", filename="b")
    async with serving(ScriptedDetector()) as client:
        status, answer = await post(client, form)
    assert (status, [one["width"] for one in answer]) == (200, [640, 320])


async def test_only_the_labels_that_are_asked_for_are_answered() -> None:
    async with serving(ScriptedDetector()) as client:
        _, answer = await post(client, jpeg(), "?labels=wave")
    assert [one["label"] for one in answer["labels"]] == ["wave"]


async def test_roboflow_s_format_has_centres_in_pixels_and_what_fires_alone() -> None:
    async with serving(ScriptedDetector()) as client:
        _, answer = await post(client, jpeg(), "?format=roboflow")
    (thumb,) = answer["predictions"]
    assert answer["image"] == {"width": 640, "height": 360}
    assert (thumb["class"], thumb["x"], thumb["y"]) == ("thumbs_up", 320.0, 225.0)
    assert (thumb["width"], thumb["height"], thumb["confidence"]) == (320.0, 90.0, 0.9)
    assert isinstance(thumb["class_id"], int)


READ = """
import json, sys, warnings
warnings.simplefilter("ignore")  # It says at its import which backend it draws with.
from supervision import Detections
read = Detections.from_inference(json.load(sys.stdin))
found = read.xyxy, read.confidence, read.class_id, read.data["class_name"]
print(json.dumps([column.tolist() for column in found]))
"""
"""What a user of ``supervision`` does with an answer; in a process of its own, since the package
warns at its import and takes seconds to load."""


async def test_supervision_reads_roboflow_s_format() -> None:
    async with serving(ScriptedDetector()) as client:
        _, answer = await post(client, jpeg(), "?format=roboflow")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", READ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(answer).encode())
    boxes, confidences, classes, names = json.loads(output)
    assert boxes == [[160.0, 180.0, 480.0, 270.0]]
    assert (confidences, names) == ([0.9], ["thumbs_up"])
    assert classes == [answer["predictions"][0]["class_id"]]


async def test_a_stream_keeps_its_memory_between_frames() -> None:
    detector = ScriptedDetector()
    async with serving(detector, default_care=Care.FULL) as client:
        for _ in range(2):
            await post(client, jpeg(), Sidecar_Stream="camera-1")
        await post(client, jpeg())
    (_, first, source), (later, second, same), (_, third, other) = detector.asked
    assert first is None
    assert second is not None
    assert third is None
    assert source == same == "anonymous/camera-1"
    assert other != source
    assert later.time > 0


async def test_streams_that_begin_together_search_in_turn() -> None:
    detector = ScriptedDetector()
    async with serving(detector) as client:
        for number in (*range(4), *range(4)):
            await post(client, jpeg(), Sidecar_Stream=f"camera-{number}")
    memories = [memory.tracks for _, memory, _ in detector.asked if memory]
    hands, bodies = ([one.hands for one in memories], [one.body for one in memories[4:]])
    assert len(set(hands[:4])) == 1
    waits = {one.unsearched for one in hands[4:] if one}
    bodies_due = {one.unread for one in bodies if one}
    assert (len(waits), len(bodies_due)) == (4, 4)


@pytest.mark.parametrize(
    ("query", "families"),
    [
        ("", None),
        ("?labels=thumbs_up", {ModelFamily.HANDS}),
        ("?labels=thumbs_up,smile", {ModelFamily.HANDS, ModelFamily.FACE}),
        ("?labels=thumbs_up&landmarks=1", None),
    ],
)
async def test_models_that_no_asked_label_needs_are_left_out(
    query: str, families: set[ModelFamily] | None
) -> None:
    detector = ScriptedDetector()
    async with serving(detector) as client:
        await post(client, jpeg(), query)
    assert detector.asked[0][0].families == families


@pytest.mark.parametrize("care", list(Care))
async def test_care_is_what_the_query_says(care: Care) -> None:
    detector = ScriptedDetector()
    async with serving(detector) as client:
        await post(client, jpeg(), f"?care={care.value}")
    assert detector.asked[0][1] == first_memory(care, 640, 360)


@pytest.mark.parametrize(
    ("path", "headers", "data", "status"),
    [
        ("?care=much", {}, jpeg(), 400),
        ("?labels=no_such", {}, jpeg(), 400),
        ("?format=xml", {}, jpeg(), 400),
        ("", {"Sidecar_Stream": "x" * 200}, jpeg(), 400),
        ("", {"Content_Type": "text/plain"}, b"hello", 415),
        ("", {}, b"no picture", 422),
        ("", {}, jpeg() + b"x" * 20_000, 413),
    ],
)
async def test_a_wrong_request_is_a_problem(
    path: str, headers: dict[str, str], data: bytes, status: int
) -> None:
    async with serving(ScriptedDetector(), max_bytes=20_000) as client:
        got, answer = await post(client, data, path, **headers)
    assert (got, answer["status"]) == (status, status)
    assert answer["detail"]
    assert answer["do"]


async def test_an_overloaded_server_says_so() -> None:
    detector = ScriptedDetector()
    detector.error = SampleDroppedError("expired")
    async with serving(detector) as client:
        status, answer = await post(client, jpeg())
    assert (status, "expired" in answer["detail"]) == (503, True)


@pytest.mark.models
@pytest.mark.parametrize("care", list(Care))
async def test_a_mannequin_s_thumb_is_recognised_with_any_care(care: Care) -> None:
    person = next(iter(CAST.values()))
    shown = Image.fromarray(render(person, POSES["thumbs_up"], Scene(), 640, 360))
    settings = Settings()
    async with (
        make_detector(make_store(settings), TABLE, settings) as detector,
        serving(detector) as client,
    ):
        status, answer = await post(client, jpeg(shown), f"?care={care.value}")
    fires = [one["label"] for one in answer["labels"] if one["fires"]]
    assert (status, "thumbs_up" in fires) == (200, True), answer


@pytest.mark.models
async def test_a_stream_is_recognised_frame_after_frame() -> None:
    person = next(iter(CAST.values()))
    shown = jpeg(Image.fromarray(render(person, POSES["victory"], Scene(), 640, 360)))
    settings = Settings()
    async with (
        make_detector(make_store(settings), TABLE, settings) as detector,
        serving(detector) as client,
    ):
        answers = [await post(client, shown, Sidecar_Stream="a") for _ in range(3)]
    for _, answer in answers:
        assert "victory" in [one["label"] for one in answer["labels"] if one["fires"]]


@pytest.mark.models
async def test_a_stream_of_one_picture_is_read_for_as_long_as_it_is_sent() -> None:
    person = next(iter(CAST.values()))
    shown = jpeg(Image.fromarray(render(person, POSES["victory"], Scene(), 640, 360)))
    settings, times = Settings(), iter((0.0, 1.5, 3.0, 9.0))
    async with (
        make_detector(make_store(settings), TABLE, settings) as detector,
        serving(detector, clock=lambda: next(times)) as client,
    ):
        answers = [await post(client, shown, Sidecar_Stream="a") for _ in range(4)]
    for _, answer in answers:
        assert "victory" in [one["label"] for one in answer["labels"] if one["fires"]]


async def test_a_picture_that_can_t_be_read_does_not_spoil_its_batch() -> None:
    form = aiohttp.FormData()
    form.add_field("a", b"no picture", content_type="image/jpeg", filename="a.jpg")
    form.add_field("b", jpeg(), content_type="image/jpeg", filename="b.jpg")
    async with serving(ScriptedDetector()) as client:
        status, (damaged, whole) = await post(client, form)
    assert (status, damaged["width"], damaged["labels"]) == (200, None, [])
    assert "can't be read as JPEG" in damaged["error"]
    assert (whole["width"], whole["error"]) == (640, None)


async def test_a_body_that_is_no_multipart_is_a_problem() -> None:
    kind = "multipart/form-data; boundary=x"
    async with serving(ScriptedDetector()) as client:
        status, answer = await post(client, b"--y\r\n\r\n", Content_Type=kind)
    assert (status, answer["status"]) == (422, 422)


async def test_landmarks_are_asked_for_and_answered() -> None:
    detector = ScriptedDetector()
    async with serving(detector) as client:
        _, without = await post(client, jpeg())
        _, answer = await post(client, jpeg(), "?landmarks=1")
    assert "landmarks" not in without
    assert answer["landmarks"] == {
        "hands": [
            {"side": "right", "side_score": 0.9, "presence": 0.99, "points": [[0.5, 0.25, -0.01]]}
        ],
        "face": None,
        "body": None,
    }
    assert [one.landmarks for one, _, _ in detector.asked] == [False, True]


@pytest.mark.models
async def test_a_mannequin_s_landmarks_lie_where_its_labels_are() -> None:
    person = next(iter(CAST.values()))
    shown = Image.fromarray(render(person, POSES["thumbs_up"], Scene(), 640, 360))
    settings = Settings()
    async with (
        make_detector(make_store(settings), TABLE, settings) as detector,
        serving(detector) as client,
    ):
        _, answer = await post(client, jpeg(shown), "?landmarks=1")
    left, top, width, height = next(
        one["box"] for one in answer["labels"] if one["label"] == "thumbs_up"
    )
    hands, face = answer["landmarks"]["hands"], answer["landmarks"]["face"]
    assert [len(hand["points"]) for hand in hands] == [21]
    assert len(face["points"]) == 468
    x, y, _ = hands[0]["points"][4]
    # The tip of a thumb up may be the box's upper edge, and both are rounded.
    rounding = 1e-4
    assert left - rounding <= x <= left + width + rounding
    assert top - rounding <= y <= top + height + rounding


async def test_a_part_with_damaged_headers_is_400() -> None:
    body = b"--x\r\nContent-Type: \x01mage/jpeg\r\n\r\nx\r\n--x--\r\n"
    async with serving(ScriptedDetector()) as client:
        kind = "multipart/form-data; boundary=x"
        status, answer = await post(client, body, Content_Type=kind)
    assert (status, answer["detail"]) == (400, "the body is not well formed")
