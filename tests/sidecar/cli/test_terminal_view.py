import asyncio
import dataclasses
import io
import logging
import os
from collections.abc import Iterator

import pytest
from rich.console import Console

from sidecar.cli.terminal_view import TerminalView, render_status
from sidecar.inference.detector import DetectorStats, DroppedSamples
from sidecar.session.stats import ParticipantStatus, RecentReaction, SinkStats, Status

ADA = ParticipantStatus("ada", "Ada [x]", 320, 180, 14.6, "smile", 0.81, False, False)
BO = ParticipantStatus("bo", "Bo", None, None, 0.0, None, None, True, True)


def status(*people: ParticipantStatus, rejoined: int = 0) -> Status:
    reactions = (RecentReaction(65.0, "Ada", "wave"),)
    return Status("Janus", "1234", 3725.4, rejoined, 24.9, 2, 1, 0.31, people, reactions)


def drawn(of: Status) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(render_status(of))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_each_participant_has_a_line_with_layer_rate_and_best_label() -> None:
    text = drawn(status(ADA, BO))
    assert "Ada [x]" in text
    assert "320x180" in text
    assert "smile 81%" in text
    assert "opted out" in text


def test_the_head_has_system_room_time_and_load() -> None:
    head = drawn(status(ADA)).splitlines()[0]
    for part in ("Janus · 1234", "1:02:05", "25 frames/s", "2 late", "31% of a core"):
        assert part in head
    assert "rejoined" not in head
    assert "rejoined 3x" in drawn(status(ADA, rejoined=3))


def test_an_empty_room_says_so() -> None:
    assert "no camera is on" in drawn(status())


def test_reactions_are_listed_with_their_time() -> None:
    assert "0:01:05  Ada: wave" in drawn(status(ADA))


def test_a_sink_that_drops_is_shown_with_its_reason() -> None:
    sinks = (SinkStats("jsonl:x", 5, 2, "No space left on device"), SinkStats("room", 9))
    text = drawn(dataclasses.replace(status(ADA), sinks=sinks))
    assert "jsonl:x: 2 dropped (No space left on device)" in text
    assert "room" not in text


STATS = DetectorStats(2, 90, 0, 1, 80, 0, 0, DroppedSamples(), 81, 0.1, None, 0)


def test_a_detector_that_works_is_not_mentioned() -> None:
    assert "samples" not in drawn(dataclasses.replace(status(ADA), detector=STATS))


def test_what_is_wrong_with_detection_is_shown() -> None:
    dropped = DroppedSamples(replaced=4, expired=3, worker_lost=1)
    stats = dataclasses.replace(STATS, workers=0, failed=2, dropped=dropped)
    text = drawn(dataclasses.replace(status(ADA), detector=stats))
    assert "samples: no worker is alive, 7 too late, 1 lost with a worker, 2 failed" in text


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a pseudo-terminal: the one that reads, and the program's."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


def read_until(end: int, wanted: str) -> str:
    text = ""
    while wanted not in text:
        text += os.read(end, 65536).decode()
    return text


async def test_the_table_is_drawn_and_log_lines_above_it(terminal: tuple[int, int]) -> None:
    reading, file = terminal
    handler = logging.StreamHandler(os.fdopen(os.dup(file), "w"))
    logging.getLogger().addHandler(handler)
    try:
        async with asyncio.timeout(10), TerminalView(file) as view:
            await view.show(status(ADA))
            logging.getLogger().warning("camera [unavailable]")
            await asyncio.to_thread(read_until, reading, "camera [unavailable]")
            await view.show(status(BO))
            await asyncio.to_thread(read_until, reading, "opted out")
    finally:
        logging.getLogger().removeHandler(handler)
        handler.stream.close()


async def test_a_terminal_that_takes_nothing_holds_up_its_view_alone(
    terminal: tuple[int, int],
) -> None:
    _, file = terminal
    ticks = 0
    async with asyncio.timeout(10):
        async with TerminalView(file) as view:
            stuck = asyncio.create_task(draw_forever(view))
            for _ in range(20):
                await asyncio.sleep(0.02)
                ticks += 1
            stuck.cancel()
        assert ticks == 20


async def draw_forever(view: TerminalView) -> None:
    people = [dataclasses.replace(ADA, name="x" * 60) for _ in range(40)]
    while True:
        await view.show(status(*people))
