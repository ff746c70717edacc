"""``camera:`` by a backend of our own, registered through pyvirtualcam's public interface."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import numpy as np
import pytest
import pyvirtualcam
from numpy.typing import NDArray

from config.errors import ConfigError
from sidecar.addresses import AddressRule
from sidecar.rooms.memory import MemoryRoom
from sidecar.sinks.base import PictureSink, SinkOptions
from sidecar.sinks.registry import open_event_sink, open_video_sink
from sidecar.sinks.virtual_camera.devices import loopback_devices
from sidecar.sinks.virtual_camera.sink import VirtualCameraSink, as_i420
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.virtual_camera.recording import I420, NAME, RecordingBackend

WIDTH, HEIGHT = 64, 36
URL = f"camera:Meeting Camera#backend={NAME}"


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    RecordingBackend.opened.clear()
    RecordingBackend.broken = ""
    pyvirtualcam.register_backend(NAME, RecordingBackend)
    yield
    for backend in RecordingBackend.opened:
        backend.hang.set()


def options(rule: AddressRule = AddressRule.ANY) -> SinkOptions:
    return SinkOptions(MemoryRoom(), fps=25, size=(WIDTH, HEIGHT), rule=rule)


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> av.VideoFrame:
    """A picture whose three planes differ, and from picture to picture."""
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = (16 + 3 * number) % 200
    flat = planes.reshape(-1)
    quarter = width * height // 4
    flat[width * height :][:quarter] = 90
    flat[width * height + quarter :] = 170
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


@asynccontextmanager
async def camera(url: str = URL) -> AsyncIterator[tuple[VirtualCameraSink, RecordingBackend]]:
    sink = open_video_sink(url, options())
    assert isinstance(sink, VirtualCameraSink)
    await sink.start()
    try:
        yield sink, RecordingBackend.opened[-1]
    finally:
        await sink.aclose()


async def test_pictures_arrive_in_i420_one_by_one_and_whole() -> None:
    async with camera() as (sink, backend):
        assert list(backend.format) == [WIDTH, HEIGHT, 25, I420]
        for number in range(10):
            sink.take(picture(number), number / 25)
            await eventually(lambda: backend.newest == 16 + 3 * number)  # noqa: B023
        luma = [int(one[0]) for one in backend.pictures]
        assert list(dict.fromkeys(luma)) == [16 + 3 * number for number in range(10)]
        for one in backend.pictures:
            assert one.dtype == np.uint8
            assert one.shape == (WIDTH * HEIGHT * 3 // 2,)
            assert len(set(one[: WIDTH * HEIGHT].tolist())) == 1
            assert set(one[WIDTH * HEIGHT :][: WIDTH * HEIGHT // 4].tolist()) == {90}
            assert set(one[WIDTH * HEIGHT * 5 // 4 :].tolist()) == {170}


async def test_the_named_device_is_opened_and_closed_once() -> None:
    async with camera() as (_, backend):
        assert backend.name == "Meeting Camera"
    assert backend.closed == 1


async def test_without_a_name_any_device_is_taken() -> None:
    async with camera(f"camera:#backend={NAME}") as (_, backend):
        assert backend.name == "first device"


async def test_a_driver_that_blocks_holds_up_neither_the_meeting_nor_its_end() -> None:
    sink = open_video_sink(URL, options())
    assert isinstance(sink, VirtualCameraSink)
    await sink.start()
    backend = RecordingBackend.opened[-1]
    backend.hang.clear()
    for number in range(50):
        sink.take(picture(number), number / 25)
    await eventually(lambda: sink.stats().dropped >= 40)
    backend.hang.set()
    await eventually(lambda: bool(backend.pictures))
    await sink.aclose()
    assert backend.threads == {"virtual camera"}


async def test_a_camera_that_opens_too_late_is_closed_again() -> None:
    answer, closed = threading.Event(), threading.Event()

    class LateCamera:
        device = "late"
        width, height = WIDTH, HEIGHT

        def send(self, frame: NDArray[np.uint8]) -> None:
            raise AssertionError("no picture was handed over")

        def close(self) -> None:
            closed.set()

    def open_late() -> LateCamera:
        answer.wait()
        return LateCamera()

    sink = VirtualCameraSink(open_late, "camera:late", 25, opening=0.05)
    with pytest.raises(ConfigError, match=r"does not answer for 0\.05 s"):
        await sink.start()
    answer.set()
    await eventually(closed.is_set)


async def test_a_device_that_fails_is_counted_and_tried_again() -> None:
    async with camera() as (sink, backend):
        backend.fail = True
        sink.take(picture(0), 0.0)
        await eventually(lambda: "device unplugged" in sink.stats().reason)
        backend.fail = False
        await eventually(lambda: sink.stats().reason == "" and sink.stats().delivered > 0)
        assert sink.stats().dropped > 0


async def test_a_composite_of_another_size_is_scaled_to_the_camera() -> None:
    async with camera() as (sink, backend):
        sink.take(picture(1, 2 * WIDTH, 2 * HEIGHT), 0.0)
        await eventually(lambda: bool(backend.pictures))
        assert backend.pictures[0].size == WIDTH * HEIGHT * 3 // 2
        assert abs(int(backend.pictures[0][0]) - 19) <= 1


async def test_without_a_device_the_error_says_what_to_install() -> None:
    RecordingBackend.broken = "no v4l2loopback device found"
    sink = open_video_sink(URL, options())
    with pytest.raises(ConfigError, match="no v4l2loopback device found") as refused:
        await sink.start()
    assert "install" in refused.value.do
    await sink.aclose()


async def test_an_unknown_backend_is_refused_with_those_there_are() -> None:
    sink = open_video_sink("camera:#backend=nosuch", options())
    with pytest.raises(ConfigError, match="no backend 'nosuch'"):
        await sink.start()


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.sinks.virtual_camera.entry.is_installed", lambda: False)
    with pytest.raises(ConfigError, match=r"pip install 'reaction-sidecar\[camera\]'"):
        open_video_sink("camera:", options())


def test_clients_of_an_api_may_name_no_camera() -> None:
    with pytest.raises(ConfigError, match="operator"):
        open_video_sink(URL, options(rule=AddressRule.PUBLIC))


def test_it_is_a_picture_sink_and_takes_no_events() -> None:
    assert isinstance(open_video_sink(URL, options()), PictureSink)
    with pytest.raises(ConfigError, match="--publish"):
        open_event_sink(URL, options())


def test_rows_with_padding_are_packed() -> None:
    # FFmpeg pads the rows of a picture that is 50 wide to 64 bytes.
    frame = av.VideoFrame(50, 30, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes(plane.line_size * plane.height))
    assert frame.planes[0].line_size > 50
    assert as_i420(frame, 50, 30).size == 50 * 30 * 3 // 2


def test_virtual_devices_are_listed_by_path_and_name(tmp_path: Path) -> None:
    (tmp_path / "video10").mkdir()
    (tmp_path / "video10/name").write_text("Reactions\n")
    (tmp_path / "video11").mkdir()
    assert loopback_devices(tmp_path) == {"/dev/video10": "Reactions"}
    assert loopback_devices(tmp_path / "none") == {}
