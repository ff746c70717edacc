"""Addresses of WHEP streams as users write them, one or many. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from config.errors import ConfigError
from sidecar.rooms.display_names import display_name, distinct
from sidecar.rooms.url_list import split
from sidecar.rooms.whep.client.endpoint import EndpointKind, WhipEndpoint, endpoint

MAX_STREAMS: Final = 49
"""As many as the largest layout has tiles."""
MAX_ADDRESSES: Final = 64 * 1024
"""Characters of the whole argument."""
_STREAM: Final = re.compile(r"whep\+https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WhepUrl:
    """One stream, and the name of its participant."""

    endpoint: WhipEndpoint
    name: str


def is_stream(text: str) -> bool:
    """Whether ``text`` begins with the address of a stream."""
    return bool(_STREAM.match(text.strip()))


def parse_streams(text: str, token: str = "") -> Sequence[WhepUrl]:
    """The streams that ``text`` names, each under a name of its own.

    A stream is called as its fragment says, or as the last part of its path that isn't ``whep``.
    Raises ConfigError where one of them is no address.
    """
    if len(text) > MAX_ADDRESSES:
        raise ConfigError(f"more than {MAX_ADDRESSES} characters are no list of streams")
    urls = split(text, _STREAM)
    if len(urls) > MAX_STREAMS:
        raise ConfigError(f"{len(urls)} streams are too many", do=f"name {MAX_STREAMS} at most")
    endpoints = [endpoint(EndpointKind.WHEP, "whep+" + url[5:], token) for url in urls]
    names = distinct(_name(url) for url in urls)
    return [WhepUrl(*pair) for pair in zip(endpoints, names, strict=True)]


def _name(url: str) -> str:
    parts = urlsplit(url)
    steps = [step for step in unquote(parts.path).split("/") if step and step.lower() != "whep"]
    last = steps[-1] if steps else parts.hostname or ""
    return display_name(unquote(parts.fragment) or last)
