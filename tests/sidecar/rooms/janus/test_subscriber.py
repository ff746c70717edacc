"""The cameras of a VideoRoom, and the layers that are asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.base import ReceiverConstraints
from sidecar.rooms.janus.messages import JanusLayer
from sidecar.rooms.janus.subscriber import janus_layer


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
