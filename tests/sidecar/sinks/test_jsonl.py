"""Events as a file of JSON lines, also when the disk is full or fails."""

import asyncio
import errno
import json
import os
import sys
from pathlib import Path

import pytest

from config.errors import ConfigError
from sidecar.sinks.delivery import EventDelivery
from sidecar.sinks.jsonl import JsonlSink
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.sinks import joined

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")


async def test_every_event_is_a_line_as_it_happens(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    async with EventDelivery(JsonlSink(file)) as delivery:
        delivery.put(joined(1))
        await eventually(lambda: file.read_text().count("\n") == 1)
        delivery.put(joined(2))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["participant"] for line in lines] == ["p-1", "p-2"]


async def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("older\n" * 100)
    async with EventDelivery(JsonlSink(file)) as delivery:
        delivery.put(joined(1))
    assert len(file.read_text().splitlines()) == 1


@linux
async def test_a_full_disk_drops_and_counts_and_ends_nothing() -> None:
    async with EventDelivery(JsonlSink(Path("/dev/full"))) as delivery:
        for number in range(3):
            delivery.put(joined(number))
        await eventually(lambda: delivery.stats().dropped == 3)
        assert delivery.stats().reason == os.strerror(errno.ENOSPC)


@pytest.mark.parametrize("name", ["no/such/folder", ".", "zero\0byte"])
async def test_a_file_that_can_t_be_written_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="can't be written"):
        await JsonlSink(tmp_path / name).start()


@linux
async def test_a_named_pipe_that_is_not_read_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    async with asyncio.timeout(30):
        with pytest.raises(ConfigError, match="can't be written"):
            await JsonlSink(tmp_path / "pipe").start()
