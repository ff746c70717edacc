"""The peers of bench: what is compared is the same work."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from bench import peers, peers_floors
from bench.plain_mcu import HEIGHT, WIDTH, Mixer

STAND_IN = '''
"""Stands in for MediaPipe: it finds a hand in bright frames."""
class _Tracker:
    def __init__(self, **options): pass
    def __enter__(self): return self
    def __exit__(self, *exc): pass
    def process(self, frame):
        class Result: pass
        found = Result()
        found.multi_hand_landmarks = frame.mean() > 128
        found.left_hand_landmarks, found.right_hand_landmarks = None, frame.mean() > 128
        return found
class solutions:
    class hands: Hands = _Tracker
    class holistic: Holistic = _Tracker
'''


def frame(level: int) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((360, 640, 3), level, np.uint8), format="rgb24")


def test_the_plain_unit_shows_each_camera_in_a_tile_of_its_own() -> None:
    mixer = Mixer()
    mixer.newest = [frame(40), frame(90), None, frame(200)]
    picture = mixer.compose().astype(int)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    corners = [picture[10, 10], picture[10, -10], picture[-10, 10], picture[-10, -10]]
    assert [int(one.mean()) for one in corners] == pytest.approx([40, 90, 0, 200], abs=2)


def test_the_plain_unit_has_nothing_of_ours_in_it() -> None:
    code = "import sys, bench.plain_mcu; print([m for m in sys.modules if m.startswith('sidecar')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_way_takes_its_turns_and_does_each_frame_once() -> None:
    done: list[tuple[str, int]] = []
    peers_floors.in_turns(
        lambda n: done.append(("ours", n)), lambda n: done.append(("floor", n)), 6, turn=2
    )
    assert [who for who, _ in done] == ["ours", "ours", "floor", "floor"] * 3
    assert [n for who, n in done if who == "floor"] == list(range(6))


@pytest.mark.parametrize("part", [peers_floors.sampling, peers_floors.drawing])
def test_a_part_and_its_floor_both_take_time(
    part: Callable[[int], peers_floors.PartCost], monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [frame(60 * n).reformat(format="yuv420p") for n in range(4)]
    monkeypatch.setattr(peers_floors, "frames", lambda: pictures)
    cost = part(8)
    assert cost.ours > 0
    assert cost.floor > 0
    assert cost.rate >= 20


def test_mediapipe_gets_the_frames_and_answers_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mediapipe.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(peers.VARIABLE, sys.executable)
    bright, dark = np.full((36, 64, 3), 200, np.uint8), np.zeros((36, 64, 3), np.uint8)
    with peers.mediapipe({"no hand": [dark] * 3, "one hand": [dark, bright]}) as other:
        for solution in peers.SOLUTIONS:
            spent, found = other.run(solution, "no hand")
            assert (len(spent), found) == (3, 0)
            assert other.run(solution, "one hand")[1] == 1
