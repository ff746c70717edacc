"""The cameras of a VideoRoom, and the layers that are asked for."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from sidecar.rooms.base import Consent, ReceiverConstraints
from sidecar.rooms.janus.messages import JanusLayer
from sidecar.rooms.janus.subscriber import JanusSubscriber, janus_layer
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import entered
from tests.sidecar.rooms.janus.attending import options
from tests.sidecar.rooms.janus.fake_server import FakeJanusServer
from tests.sidecar.rooms.janus.test_conformance import IMPATIENT


@pytest.mark.parametrize(
    ("want", "substream"),
    [((320, 180), 0), ((330, 200), 0), ((640, 360), 1), ((800, 450), 1), ((1280, 720), 2)],
)
@pytest.mark.parametrize(("size", "seen"), [((320, 180), 0), ((640, 360), 1), ((1280, 720), 2)])
def test_the_smallest_that_nearly_fills_the_tile_whichever_is_seen_now(
    want: tuple[int, int], substream: int, size: tuple[int, int], seen: int
) -> None:
    assert janus_layer(ReceiverConstraints(*want, fps=30), size, seen).substream == substream


@pytest.mark.parametrize(("fps", "temporal"), [(30, 2), (25, 2), (15, 1), (10, 1), (7, 0), (1, 0)])
def test_no_more_frames_than_are_wanted(fps: float, temporal: int) -> None:
    assert janus_layer(ReceiverConstraints(320, 180, fps), (320, 180), 0).temporal == temporal


def test_nothing_is_sent_while_paused() -> None:
    assert janus_layer(ReceiverConstraints(320, 180, 30, paused=True), None, 0) == JanusLayer(
        0, 2, send=False
    )


def test_a_camera_without_layers_is_left_at_the_one_it_has() -> None:
    assert janus_layer(ReceiverConstraints(320, 180, 30), (1280, 720), 0).substream == 0


@given(
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.integers(0, 2),
    st.floats(0, 240),
)
def test_a_layer_is_always_one_of_janus(
    width: int, height: int, wide: int, high: int, seen: int, fps: float
) -> None:
    layer = janus_layer(ReceiverConstraints(width, height, fps), (wide, high), seen)
    assert layer.substream in range(3)
    assert layer.temporal in range(3)


@pytest.fixture
async def server() -> AsyncIterator[FakeJanusServer]:
    async with FakeJanusServer() as running:
        yield running


async def test_the_layer_that_is_wanted_is_asked_for_once_the_size_is_known(
    server: FakeJanusServer,
) -> None:
    ada = server.join("Ada")
    async with entered(IMPATIENT.room(server.url, options())) as attendance:
        await eventually(lambda: attendance.frames("Ada") > 0)
        attendance.room.constrain(str(ada), ReceiverConstraints(640, 360, 10))
        await eventually(lambda: server.bodies("configure"))
        wanted = {"mid": "0", "send": True, "substream": 1, "temporal": 1}
        assert server.bodies("configure")[-1]["streams"] == [wanted]


async def test_an_offer_that_can_not_be_answered_is_a_problem_until_another_works(
    server: FakeJanusServer,
) -> None:
    ada, vic = server.join("Ada"), server.join("Vic")
    server.participants[vic].broken = True
    async with entered(IMPATIENT.room(server.url, options())) as attendance:
        await eventually(lambda: attendance.problem("Vic"))
        await eventually(lambda: attendance.frames("Ada") > 0)
        feed = attendance.feed("Ada")
        server.participants[vic].broken = False
        await eventually(lambda: attendance.frames("Vic") > 0)
        assert not attendance.problem("Vic")
        assert attendance.present[str(ada)].feed is feed


async def test_a_data_message_opts_out(server: FakeJanusServer) -> None:
    ada = server.join("Ada")
    async with entered(IMPATIENT.room(server.url, options())) as attendance:
        await eventually(lambda: server.participants[ada].channels)
        (channel,) = server.participants[ada].channels
        channel.send('{"text": "!reactions off"}')
        await eventually(lambda: attendance.consents == {str(ada): Consent.OPT_OUT})


async def test_a_task_that_fails_ends_the_room_and_logs_its_reason(
    server: FakeJanusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = asyncio.Event()

    async def broken(_: JanusSubscriber) -> None:
        await failing.wait()
        raise RuntimeError("a mistake")

    monkeypatch.setattr(JanusSubscriber, "run", broken)
    with capture_logs() as logs:
        async with entered(IMPATIENT.room(server.url, options())) as attendance:
            failing.set()
            await eventually(lambda: attendance.ended)
    assert "a mistake" in str(attendance.failure)
    assert ["a mistake" in str(entry.get("reason")) for entry in logs if "task" in entry] == [True]
