"""Find the sink of a target among all installed ones, by entry point and URL scheme."""

import re
from collections.abc import Container, Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

import structlog

from config.errors import ConfigError
from sidecar.redaction import shown_url
from sidecar.sinks.base import (
    SINK_GROUP,
    EventSink,
    PacketSink,
    PictureSink,
    Sink,
    SinkOptions,
    SinkType,
)
from sidecar.sinks.file import SUFFIXES

log = structlog.get_logger(__name__)

ROOM: Final = "room"
FILE: Final = "file"
NONE: Final = "none"
_SCHEME: Final = re.compile(r"([a-z][a-z0-9.+-]+):", re.IGNORECASE)
"""Two characters at least: ``C:`` begins the name of a file."""


def open_event_sink(url: str, options: SinkOptions, *, where: str = "--sink") -> EventSink:
    """The event sink at ``url``, not started yet.

    Raises ConfigError, which names the option ``where`` it stands, if there is no such sink.
    """
    sink = _open(url, options, where)
    if not isinstance(sink, EventSink):
        what = f"{shown_url(url)!r} takes the composite, not events"
        raise ConfigError(what, where=where, do="name it with --publish")
    return sink


def open_video_sink(
    target: str, options: SinkOptions, *, where: str = "--publish"
) -> PacketSink | PictureSink:
    """The video sink that ``target`` names, not started yet: ``room``, a file's name or a URL.

    Raises ConfigError, which names the option ``where`` it stands, if there is no such sink.
    """
    sink = _open(target, options, where)
    if not isinstance(sink, PacketSink | PictureSink):
        what = f"{shown_url(target)!r} takes events, not the composite"
        raise ConfigError(what, where=where, do="name it with --sink")
    return sink


def open_video_sinks(
    targets: Iterable[str], options: SinkOptions, *, where: str = "--publish"
) -> list[PacketSink | PictureSink]:
    """As ``open_video_sink``, for several targets; ``none`` is no sink."""
    return [open_video_sink(one, options, where=where) for one in targets if one != NONE]


def _open(target: str, options: SinkOptions, where: str) -> Sink:
    points = {point.name: point for point in entry_points(group=SINK_GROUP)}
    scheme, url = _as_url(target, points)
    if scheme is None:
        what = f"{shown_url(target)!r} is no sink"
        known = ", ".join("room" if name == ROOM else f"{name}:…" for name in sorted(points))
        raise ConfigError(what, where=where, do=f"{known}, or a file's name such as OUT.mp4")
    return _load(points[scheme], where)(url, options)


def _as_url(target: str, schemes: Container[str]) -> tuple[str | None, str]:
    """The scheme of ``target``, if it is one of ``schemes``, and its URL.

    The word ``room`` and names of video files have none of their own.
    """
    if target == ROOM:
        return ROOM, f"{ROOM}:"
    found = _SCHEME.match(target)
    if found is not None and found[1].lower() in schemes:
        return found[1].lower(), target
    if "://" not in target and Path(target).suffix.lower() in SUFFIXES:
        return FILE, f"{FILE}:{target}"
    return None, target


def _load(point: EntryPoint, where: str) -> SinkType:
    try:
        found: SinkType = point.load()
    except Exception as error:
        # Another package may break in any way at all.
        log.exception("sink not loaded", sink=point.name, module=point.value)
        what = f"the sink {point.name!r} can't be loaded: {error!r}"
        raise ConfigError(what, where=where, do="repair or remove its package") from error
    return found
