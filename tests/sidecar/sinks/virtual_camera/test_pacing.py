"""Which picture is shown when, picture by picture on a virtual clock."""

import math
from collections.abc import Sequence

import av
import pytest

from sidecar.sinks.virtual_camera.pacing import CameraPacer

FPS = 25.0
TICK = 1 / FPS


def picture(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.pts = number
    return frame


def play(puts: Sequence[tuple[float, int]], until: float) -> tuple[list[tuple[float, int]], int]:
    """What is shown, as (ticks, number), of pictures put at those ticks; and how many were not."""
    pacer, shown, now = CameraPacer(FPS), [], 0.0
    waiting = [(at * TICK, number) for at, number in puts]
    while now < until * TICK:
        while waiting and waiting[0][0] <= now + 1e-9:
            pacer.put(picture(waiting.pop(0)[1]))
        if (wait := pacer.wait(now)) <= 1e-9:
            number = pacer.take(now).pts
            assert number is not None
            shown.append((round(now / TICK, 3), number))
            continue
        nearest = waiting[0][0] - now if waiting else math.inf
        now += min(wait, nearest, until * TICK)
    return shown, pacer.replaced


def test_pictures_on_time_are_shown_at_once_and_once() -> None:
    on_time = [(float(n), n) for n in range(5)]
    assert play(on_time, until=5)[0] == on_time


def test_a_picture_that_is_half_an_interval_late_is_waited_for() -> None:
    late = [(0.0, 0), (1.4, 1), (2.0, 2), (3.0, 3)]
    assert play(late, until=3.5)[0] == [(0.0, 0), (1.4, 1), (2.0, 2), (3.0, 3)]


def test_in_a_gap_the_last_picture_is_shown_again_and_again() -> None:
    shown, _ = play([(0.0, 0), (1.0, 1), (6.0, 6)], until=7)
    assert shown == [(0.0, 0), (1.0, 1), (2.5, 1), (4.0, 1), (5.5, 1), (6.0, 6)]


def test_of_pictures_that_come_at_once_the_newest_is_shown() -> None:
    shown, replaced = play([(0.0, 0), (2.0, 1), (2.0, 2), (2.0, 3), (3.0, 4)], until=3.5)
    assert shown == [(0.0, 0), (1.5, 0), (2.0, 3), (3.0, 4)]
    assert replaced == 2


def test_a_picture_that_comes_too_early_waits_half_an_interval() -> None:
    assert play([(0.0, 0), (0.2, 1), (1.0, 2)], until=1.4)[0] == [(0.0, 0), (0.5, 1), (1.0, 2)]


def test_before_the_first_picture_nothing_is_shown() -> None:
    pacer = CameraPacer(FPS)
    assert pacer.wait(100.0) == math.inf
    assert play([(3.0, 7)], until=4)[0] == [(3.0, 7)]


@pytest.mark.parametrize("fps", [10.0, 25.0, 60.0])
def test_a_second_of_pictures_is_shown_whole_at_any_rate(fps: float) -> None:
    pacer, shown = CameraPacer(fps), []
    for number in range(int(fps)):
        now = number / fps
        pacer.put(picture(number))
        assert pacer.wait(now) == 0
        shown.append(pacer.take(now).pts)
    assert shown == list(range(int(fps)))
    assert (pacer.replaced, pacer.repeated) == (0, 0)
