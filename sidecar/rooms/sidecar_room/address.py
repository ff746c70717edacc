"""Addresses of rooms on another sidecar's server. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from config.errors import ConfigError

_PATH: Final = re.compile(r"/rooms/([A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?)/?")


@dataclass(frozen=True, slots=True)
class SidecarRoomUrl:
    """A room; all its addresses are below its page's."""

    url: str
    """``http(s)://HOST[:PORT]/rooms/NAME``."""
    name: str

    @property
    def participants(self) -> str:
        return f"{self.url}/participants"

    @property
    def composite(self) -> str:
        return f"{self.url}/whep"

    def camera(self, participant: str) -> str:
        return f"{self.participants}/{quote(participant, safe='')}/whep"

    def publish(self, name: str) -> str:
        """Where to publish as ``name``, without being sampled or shared with other sidecars."""
        return f"{self.url}/whip?{urlencode({'name': name, 'opted_out': '1'})}"


def is_room_url(url: str) -> bool:
    """Whether ``url`` may be such a room's: LiveKit's own meetings have addresses like it."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    plain = parts.scheme in ("http", "https") and bool(parts.hostname)
    return plain and _PATH.fullmatch(parts.path) is not None


def parse_room_url(url: str) -> SidecarRoomUrl:
    """The room at ``url``; query and fragment are left out. Raises ConfigError where it is none."""
    if not is_room_url(url):
        raise ConfigError("isn't a room's address", do="write https://HOST/rooms/NAME")
    parts = urlsplit(url.strip())
    match = _PATH.fullmatch(parts.path)
    assert match is not None
    if "@" in parts.netloc:
        raise ConfigError("a room of ours takes no user and password", do="leave them out")
    return SidecarRoomUrl(f"{parts.scheme}://{parts.netloc}/rooms/{match[1]}", match[1])
