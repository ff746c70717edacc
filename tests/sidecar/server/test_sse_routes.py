"""Server-sent events and statistics over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.server.event_stream import EventStreams, StreamTimeouts
from sidecar.session.events import LiveScores, ParticipantJoined, ParticipantLeft, ReactionStep
from tests.sidecar.clients import ColourTrack, eventually, publishing
from tests.sidecar.server.conftest import RunningServer, running_server

BOX = Box(0, 0, 1, 1)


class Reader:
    """One connection to an event stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def block(self) -> str:
        """The text up to the next empty line."""
        async with asyncio.timeout(30):
            return (await self.response.content.readuntil(b"\n\n")).decode().strip()

    async def event(self) -> dict[str, object]:
        """The next event's object; its kind is the same in the field and in the object."""
        while (block := await self.block()).startswith((":", "retry")):
            pass
        kind, data = block.split("\n")
        event: dict[str, object] = json.loads(data.removeprefix("data: "))
        assert kind == f"event: {event['event']}"
        return event


@asynccontextmanager
async def listening(http: aiohttp.ClientSession, url: str) -> AsyncIterator[Reader]:
    async with http.get(url) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        reader = Reader(response)
        assert (await reader.block()).startswith("retry:")
        yield reader


async def read_to_the_end(events: Reader) -> None:
    while True:
        await events.event()


async def test_joining_and_leaving_are_sent(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with (
        listening(http, running.url("/rooms/one/events")) as events,
        publishing(http, running.url("/rooms/one/whip?name=Ada"), ColourTrack()) as client,
    ):
        joined = await events.event()
        await http.delete(client.url)
        left = await events.event()
    participant = client.response.headers["Sidecar-Participant"]
    assert joined == {
        "event": "participant.joined",
        "t": 0.0,
        "participant": participant,
        "name": "Ada",
    }
    assert left["event"] == "participant.left"
    assert (left["participant"], left["reason"]) == (participant, "left")


async def test_reactions_are_sent_to_all_clients(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    await running.rooms.enter("one")
    async with (
        listening(http, running.url("/rooms/one/events")) as one,
        listening(http, running.url("/rooms/one/events")) as other,
    ):
        started = ReactionEvent(ReactionStage.STARTED, 2.0, "p-1", "wave", 0.9, 1.0, BOX)
        running.meetings["one"].events.publish(ReactionStep(started, "Ada"))
        assert await one.event() == await other.event()


async def test_scores_are_sent_to_the_holder_of_the_session_only(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client:
        bus = running.meetings["one"].events
        await eventually(lambda: running.meetings["one"].present)
        async with (
            listening(http, f"{client.url}/events") as own,
            listening(http, running.url("/rooms/one/events")) as public,
        ):
            participant = client.response.headers["Sidecar-Participant"]
            assert (await own.event())["present"] is True
            await public.event()
            bus.publish(LiveScores(1.0, participant, (LabelScore("smile", 0.8, BOX),), {}))
            bus.publish(LiveScores(1.0, "p-other", (LabelScore("smile", 0.1, BOX),), {}))
            bus.publish(ParticipantJoined(2.0, "p-9", "Bo"))
            scores = await own.event()
            assert scores["labels"] == [{"label": "smile", "score": 0.8, "progress": 0}]
            assert (await own.event())["event"] == "participant.joined"
            assert (await public.event())["participant"] == "p-9"


async def test_a_listener_waits_for_a_room_that_is_not_open(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with listening(http, running.url("/rooms/one/events")) as events:
        assert not running.meetings
        await running.rooms.enter("one")
        bus = running.meetings["one"].events
        await eventually(lambda: bus.listeners == 1)
        bus.publish(ParticipantJoined(2.0, "p-9", "Bo"))
        assert (await events.event())["participant"] == "p-9"


async def test_a_listener_that_waited_in_vain_is_let_go_at_the_end(
    http: aiohttp.ClientSession,
) -> None:
    async with running_server() as running:
        response = await http.get(running.url("/rooms/one/events"))
        assert b"retry" in await response.content.readuntil(b"\n\n")
    assert await response.content.read() == b""


async def test_a_quiet_stream_shows_that_it_lives(http: aiohttp.ClientSession) -> None:
    async with (
        running_server(streams=EventStreams(timeouts=StreamTimeouts(ping=0.05))) as running,
        listening(http, running.url("/rooms/one/events")) as events,
    ):
        assert (await events.block()).startswith(":")


async def test_a_reader_that_falls_behind_is_cut_off_counted_and_may_come_back(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    await running.rooms.enter("one")
    async with listening(http, running.url("/rooms/one/events")) as events:
        bus = running.meetings["one"].events
        for number in range(300):
            bus.publish(ParticipantJoined(float(number), f"p-{number % 3}", "Ada"))
        with pytest.raises((aiohttp.ClientError, asyncio.IncompleteReadError)):
            await read_to_the_end(events)
    assert bus.cut_off == 1
    async with listening(http, running.url("/rooms/one/events")) as events:
        present = {str((await events.event())["participant"]) for _ in range(3)}
    assert present == {"p-0", "p-1", "p-2"}


async def test_a_client_that_never_reads_loses_its_stream(http: aiohttp.ClientSession) -> None:
    streams = EventStreams(timeouts=StreamTimeouts(send=0.2))
    async with running_server(streams=streams) as running:
        await running.rooms.enter("one")
        reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port, limit=1)
        writer.write(b"GET /rooms/one/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        bus = running.meetings["one"].events
        await eventually(lambda: bus.listeners == 1)
        text = "x" * 100_000
        for number in range(200):
            bus.publish(ParticipantLeft(float(number), "p-1", text, "left"))
            await asyncio.sleep(0)
        await eventually(lambda: bus.listeners == 0)
        assert streams.dropped == 1
        writer.close()
        del reader


async def test_too_many_listeners_are_refused(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    await running.rooms.enter("one")
    url = running.url("/rooms/one/events")
    async with (
        listening(http, url),
        listening(http, url),
        listening(http, url),
        http.get(url) as response,
    ):
        assert response.status == 503
        assert response.content_type == "application/problem+json"
    await eventually(lambda: running.meetings["one"].events.listeners == 0)


async def test_another_client_s_session_is_refused(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client:
        participant = client.response.headers["Sidecar-Participant"]
        async with http.get(running.url(f"/rooms/one/whip/{participant}/events")) as response:
            assert response.status == 404


async def test_statistics_are_numbers_of_the_room(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with (
        publishing(http, running.url("/rooms/one/whip"), ColourTrack()),
        http.get(running.url("/rooms/one/stats")) as response,
    ):
        numbers = await response.json()
    assert numbers["room"] == "one"
    assert numbers["participants"] == []


async def test_a_room_that_was_not_opened_has_no_statistics(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with http.get(running.url("/rooms/one/stats")) as response:
        assert response.status == 404
        assert "this room is empty" in (await response.json())["detail"]
