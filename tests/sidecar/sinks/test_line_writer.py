"""Lines into descriptors that take them slowly, partly or not at all."""

import asyncio
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.sinks.line_writer import LineWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


async def fill(writer: LineWriter) -> int:
    """Write until the pipe is full; how many lines it took."""
    count = 0
    while True:
        try:
            async with asyncio.timeout(0.2):
                await writer.write("x" * 1000)
        except TimeoutError:
            return count
        count += 1


async def test_a_pipe_that_is_never_read_holds_up_its_writer_alone(pipe: tuple[int, int]) -> None:
    writer = LineWriter("test", lambda: pipe[1])
    await writer.start()
    assert await fill(writer) >= 3
    async with asyncio.timeout(30):
        await writer.aclose()


async def test_a_pipe_that_is_read_again_gets_whole_lines(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = LineWriter("test", lambda: writing)
    await writer.start()
    written = await fill(writer)
    later = asyncio.create_task(writer.write("last"))

    def read() -> str:
        text = ""
        while not text.endswith("last\n"):
            text += os.read(reading, 65536).decode()
        return text

    text = await asyncio.to_thread(read)
    await later
    await writer.aclose()
    lines = text.splitlines()
    # The line that was given up had begun: it is whole too.
    assert lines == ["x" * 1000] * (written + 1) + ["last"]


async def test_a_reader_that_went_away_is_an_error_of_each_line() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter("test", lambda: writing)
    await writer.start()
    for _ in range(2):
        with pytest.raises(BrokenPipeError):
            await writer.write("x")
    await writer.aclose()


async def test_a_part_of_a_line_is_taken_back_when_the_disk_is_full(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    writer = LineWriter("test", lambda: os.open(file, os.O_WRONLY | os.O_CREAT))
    await writer.start()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        await writer.write("first")
        with pytest.raises(OSError, match="File too large"):
            await writer.write("x" * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    await writer.write("second")
    await writer.aclose()
    assert file.read_text() == "first\nsecond\n"


async def test_after_closing_nothing_is_written(tmp_path: Path) -> None:
    writer = LineWriter("test", lambda: os.open(tmp_path / "lines", os.O_WRONLY | os.O_CREAT))
    await writer.start()
    await writer.aclose()
    with pytest.raises(BrokenPipeError):
        await writer.write("late")
