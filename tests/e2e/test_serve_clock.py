"""``sidecar serve`` while the system's clock is set an hour forward and back, by libfaketime."""

import json
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.served import PATIENCE, TOKEN, Served, served
from tests.sidecar.clients import ColourTrack, publishing

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)

pytestmark = [
    pytest.mark.models,
    pytest.mark.servers,
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime can't be had here: apt has faketime"),
]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def clock_of(sidecar: Served, http: aiohttp.ClientSession) -> float:
    """Unix time as the server has it."""
    async with http.get(f"{sidecar.base}/livez") as answer:
        return parsedate_to_datetime(answer.headers["Date"]).timestamp()


async def records(events: aiohttp.ClientResponse) -> AsyncIterator[tuple[int, Any]]:
    """Numbers and events of an event stream."""
    number = 0
    async for line in events.content:
        kind, _, value = line.decode().rstrip().partition(": ")
        if kind == "id":
            number = int(value.rpartition("-")[2])
        elif kind == "data" and number:
            yield number, json.loads(value)


async def test_rooms_and_event_streams_live_on_while_the_clock_is_set(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    environ = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    async with (
        served(tmp_path, environ=environ, seconds=4 * PATIENCE) as sidecar,
        aiohttp.ClientSession(headers=HEADERS, timeout=aiohttp.ClientTimeout()) as http,
    ):
        room = await sidecar.join("room:standup", secrets={})
        url = f"{sidecar.base}/rooms/standup/whip?name=Ada"
        async with (
            publishing(http, url, ColourTrack()) as ada,
            http.get(f"{sidecar.base}/v1/events") as stream,
        ):
            await sidecar.until(room, participants=1)
            events, seen = records(stream), [0]
            for label, offset in (("wave", 3600), ("thumbs_up", -3600)):
                clock.write_text(f"{offset:+}")
                assert abs(await clock_of(sidecar, http) - time.time() - offset) < PATIENCE
                await sidecar.counted("sidecar_samples_total", 2)
                await sidecar.counted("sidecar_composite_ticks_total", 5)
                person = ada.response.headers["Sidecar-Participant"]
                wanted = {"participant": person, "label": label}
                path = f"{sidecar.base}/v1/rooms/{room}/reactions"
                async with http.post(path, json=wanted) as answer:
                    assert answer.status == 202
                async for number, event in events:
                    assert number > seen[-1]
                    seen.append(number)
                    if event["event"] == "reaction.started" and event["label"] == label:
                        break
                shown = await sidecar.until(room, state="live", participants=1)
                assert shown["restarts"] == 0
