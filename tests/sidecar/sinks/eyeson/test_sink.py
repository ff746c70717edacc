"""The eyeson sink against a double that checks what eyeson's reference documents."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from config.errors import ConfigError
from gifs.catalogue import STICKERS
from reactions.geometry import Box
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.addresses import AddressRule
from sidecar.rooms.memory import MemoryRoom
from sidecar.session.events import ReactionStep
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.delivery import EventDelivery
from sidecar.sinks.registry import open_event_sink
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.eyeson.double import KEY, Eyeson, eyeson
from tests.sidecar.sinks.sinks import joined


@pytest.fixture
async def meeting() -> AsyncIterator[Eyeson]:
    async with eyeson() as found:
        yield found


def step(stage: ReactionStage, label: str = "fire", participant: str = "ada") -> ReactionStep:
    event = ReactionEvent(stage, 1.0, participant, label, 0.9, 1.0, Box(0, 0, 1, 1))
    return ReactionStep(event, "Ada")


def options(**environ: str) -> SinkOptions:
    stickers = {"fire": STICKERS["fire"], "broken": Path(__file__)}
    return SinkOptions(MemoryRoom(), {"EYESON_ACCESS_KEY": KEY} | environ, stickers=stickers)


def delivery(url: str) -> EventDelivery:
    return EventDelivery(open_event_sink(url, options()))


STARTED = step(ReactionStage.STARTED)
ENDED = step(ReactionStage.ENDED)


async def test_a_reactions_sticker_is_uploaded_and_cleared_when_it_ends(meeting: Eyeson) -> None:
    async with delivery(f"eyeson+{meeting.url}") as events:
        events.put(joined(1))
        events.put(STARTED)
        await eventually(lambda: "1" in meeting.layers)
        image = meeting.layers["1"]
        assert isinstance(image, Image.Image)
        assert (image.format, image.size, image.mode) == ("WEBP", (1280, 720), "RGBA")
        assert image.getchannel("A").getextrema() == (0, 255)
        left, top, right, bottom = image.getbbox() or (0, 0, 0, 0)
        assert abs((left + right) / 2 - 640) < 100
        assert 360 < top < bottom < 720
        events.put(ENDED)
        await eventually(lambda: not meeting.layers)
    assert meeting.requests == ["POST /layers", "DELETE /layers/1"]


async def test_an_image_of_ones_own_is_named_by_its_url(meeting: Eyeson) -> None:
    image = "https://cdn.example/{label}.png"
    async with delivery(f"eyeson+{meeting.url}#z-index=-1&image={image}") as events:
        events.put(STARTED)
        await eventually(lambda: meeting.layers == {"-1": "https://cdn.example/fire.png"})
    assert meeting.requests == ["POST /layers", "DELETE /layers/-1"]


async def test_a_layer_is_cleared_after_a_while(meeting: Eyeson) -> None:
    async with delivery(f"eyeson+{meeting.url}#seconds=0.5") as events:
        events.put(STARTED)
        await eventually(lambda: meeting.requests == ["POST /layers", "DELETE /layers/1"])


async def test_the_newest_reaction_has_the_layer(meeting: Eyeson) -> None:
    async with delivery(f"eyeson+{meeting.url}#image=https://cdn.example/{{label}}.png") as events:
        events.put(STARTED)
        events.put(step(ReactionStage.STARTED, "wave", "bob"))
        await eventually(lambda: meeting.layers == {"1": "https://cdn.example/wave.png"})
        events.put(ENDED)
        await eventually(lambda: events.stats().delivered == 3)
        assert meeting.layers == {"1": "https://cdn.example/wave.png"}


async def test_a_video_is_played_once_without_sound(meeting: Eyeson) -> None:
    url = "https://cdn.example/{label}.webm"
    async with delivery(f"eyeson+{meeting.url}#playback={url}") as events:
        events.put(STARTED)
        events.put(ENDED)
        events.put(STARTED)
        await eventually(lambda: len(meeting.playing) == 2)
    first, second = meeting.playing
    assert first["url"] == "https://cdn.example/fire.webm"
    assert (first["audio"], first["loop_count"], first["name"]) == (False, 0, "fire")
    assert first["play_id"] != second["play_id"]


async def test_a_label_without_a_sticker_shows_nothing(meeting: Eyeson) -> None:
    async with delivery(f"eyeson+{meeting.url}") as events:
        events.put(step(ReactionStage.STARTED, "wave"))
        await eventually(lambda: events.stats().delivered == 1)
    assert meeting.requests == []


async def test_a_sticker_that_is_no_image_is_dropped_and_counted(meeting: Eyeson) -> None:
    async with delivery(f"eyeson+{meeting.url}") as events:
        events.put(step(ReactionStage.STARTED, "broken"))
        await eventually(lambda: events.stats().dropped == 1)
        assert "can't be read" in events.stats().reason


async def test_a_meeting_that_is_over_is_the_reason(meeting: Eyeson) -> None:
    meeting.over = True
    async with delivery(f"eyeson+{meeting.url}") as events:
        events.put(STARTED)
        await eventually(lambda: events.stats().dropped == 1)
        assert "layers answered 410" in events.stats().reason


async def test_a_key_of_no_meeting_is_the_reason_and_is_not_shown(meeting: Eyeson) -> None:
    sink = open_event_sink(f"eyeson+{meeting.url}", options(EYESON_ACCESS_KEY="tell-no-one"))
    async with EventDelivery(sink) as events:
        events.put(STARTED)
        await eventually(lambda: events.stats().dropped == 1)
        reason = events.stats().reason
    assert "answered 404" in reason
    assert "tell-no-one" not in reason + sink.name


async def test_an_api_that_hangs_holds_up_neither_events_nor_closing(meeting: Eyeson) -> None:
    meeting.hanging.clear()
    async with asyncio.timeout(6):
        sink = open_event_sink(f"eyeson+{meeting.url}", options())
        async with EventDelivery(sink, patience=0.2) as events:
            for _ in range(3):
                events.put(STARTED)
            await eventually(lambda: events.stats().dropped == 3)


async def test_an_api_that_is_not_there_is_a_reason_without_the_key() -> None:
    async with delivery("eyeson+http://127.0.0.1:9") as events:
        events.put(STARTED)
        await eventually(lambda: events.stats().dropped == 1)
        assert "can't be reached" in events.stats().reason
        assert KEY not in events.stats().reason


async def test_a_client_of_the_api_may_not_have_private_addresses_asked(meeting: Eyeson) -> None:
    given = SinkOptions(
        MemoryRoom(),
        {"EYESON_ACCESS_KEY": KEY},
        rule=AddressRule.PUBLIC,
        stickers={"fire": STICKERS["fire"]},
    )
    async with EventDelivery(open_event_sink(f"eyeson+{meeting.url}", given)) as events:
        events.put(STARTED)
        await eventually(lambda: events.stats().dropped == 1)
    assert meeting.requests == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("eyeson:#z-index=2", "no layer"),
        ("eyeson:#seconds=0", "no time"),
        ("eyeson:#size=1920x1080", "no size"),
        ("eyeson:#image=sticker.png", "no public address"),
        ("eyeson:#key=env:MISSING", "MISSING is not set"),
        ("eyeson:#colour=red", "unknown option"),
    ],
)
def test_what_is_wrong_with_a_url_is_one_clear_error(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        open_event_sink(url, options())


@pytest.mark.parametrize("key", ["", "short", "a/../../other-room", "with space in it"])
def test_a_key_that_would_change_the_path_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="access key"):
        open_event_sink("eyeson:", options(EYESON_ACCESS_KEY=key))


def test_without_a_key_the_error_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="EYESON_ACCESS_KEY"):
        open_event_sink("eyeson:", SinkOptions(MemoryRoom()))
