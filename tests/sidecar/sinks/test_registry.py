"""Which sink a target is."""

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from config.errors import ConfigError
from sidecar.rooms.memory import MemoryRoom
from sidecar.sinks import registry
from sidecar.sinks.base import EventSink, PacketSink, PictureSink, SinkOptions
from sidecar.sinks.console import ConsoleSink
from sidecar.sinks.file import FileSink
from sidecar.sinks.jsonl import JsonlSink
from sidecar.sinks.registry import open_event_sink, open_video_sink
from sidecar.sinks.room import RoomSink
from sidecar.sinks.whip import WhipSink

OPTIONS = SinkOptions(MemoryRoom())


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("room", RoomSink),
        ("whip+http://127.0.0.1:9/whip", WhipSink),
        ("WHIP+HTTPS://host/whip", WhipSink),
        ("out.mp4", FileSink),
        ("/some/where/take: 1.MKV", FileSink),
        ("file:out.webm", FileSink),
        ("C:\\out.mp4", FileSink),
    ],
)
def test_a_video_target_is_a_word_a_url_or_a_file(target: str, kind: type) -> None:
    assert isinstance(open_video_sink(target, OPTIONS), kind)


@pytest.mark.parametrize(
    ("url", "kind"), [("jsonl:events.jsonl", JsonlSink), ("console:", ConsoleSink)]
)
def test_an_event_sink_is_a_url(url: str, kind: type) -> None:
    assert isinstance(open_event_sink(url, OPTIONS), kind)


@pytest.mark.parametrize("target", ["", "rooms", "https://host/whip", "out.txt", "https://h/x.mp4"])
def test_anything_else_is_refused_with_what_there_is(target: str) -> None:
    with pytest.raises(ConfigError, match=r"--publish: .*whip\+https"):
        open_video_sink(target, OPTIONS)


def test_a_secret_in_a_refused_url_is_not_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        open_event_sink("https://ada:hush@host/x?key=hush", OPTIONS)
    assert "hush" not in str(refused.value)


def test_events_do_not_go_where_the_composite_goes() -> None:
    with pytest.raises(ConfigError, match="takes the composite, not events"):
        open_event_sink("room", OPTIONS)
    with pytest.raises(ConfigError, match="takes events, not the composite"):
        open_video_sink("console:", OPTIONS)


def test_a_sink_of_another_package_that_breaks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("siren", "no.such.module:sink", "reaction_sidecar.sinks")
    monkeypatch.setattr(registry, "entry_points", lambda group: EntryPoints([broken]))
    with pytest.raises(ConfigError, match="'siren' can't be loaded"):
        open_event_sink("siren:loud", OPTIONS)


def test_ours_are_what_they_say() -> None:
    assert isinstance(open_video_sink("room", OPTIONS), PacketSink)
    assert isinstance(open_video_sink("out.mp4", OPTIONS), PictureSink)
    assert isinstance(open_event_sink("console:", OPTIONS), EventSink)
