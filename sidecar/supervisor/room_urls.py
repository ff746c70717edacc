"""Which meeting URLs a client of the API may use: on the network, at allowed hosts."""

import re
from typing import Final
from urllib.parse import urlsplit

from config.errors import ConfigError, RefusedError
from config.serve_settings import ServeSettings
from sidecar.addresses import AddressRule, check_host
from sidecar.redaction import shown_url
from sidecar.rooms.url_list import split

SCHEMES: Final = frozenset(
    {
        "ws", "wss", "http", "https", "livekit", "livekits", "janus", "januss", "janus+ws",
        "janus+wss", "janus+http", "janus+https", "galene", "galenes",
        "whep+http", "whep+https", "whip+http", "whip+https", "rtsp", "rtsps",
    }
)  # fmt: skip
"""Of meetings on the network: files, folders and webcams are not a client's to name."""
_SCHEME: Final = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def check_room_url(url: str) -> None:
    """Raise ConfigError for what is no meeting's URL, RefusedError for a host that is refused."""
    for part in split(url, _SCHEME) or [url]:
        _check(part)


def _check(url: str) -> None:
    found = _SCHEME.match(url)
    if found is None or found[1].lower() not in SCHEMES:
        what = f"{shown_url(url)!r} is no meeting on the network"
        raise ConfigError(what, where="url", do=f"one of {', '.join(sorted(SCHEMES))}://…")
    try:
        check_host(host_of(url), AddressRule.ROOM)
    except RefusedError as error:
        raise RefusedError(error.what, where="url", do="name the SFU's own address") from None


def host_of(url: str) -> str:
    """The host of ``url``; raises ConfigError where it names none, or its port is no number."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise ConfigError(f"{shown_url(url)!r} names no host", where="url", do="name one")
    return host


def public_rule(settings: ServeSettings) -> AddressRule:
    """Where webhooks and sinks of clients may lead."""
    return AddressRule.ROOM if settings.private_addresses else AddressRule.PUBLIC
