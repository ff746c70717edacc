"""Parse URLs of LiveKit rooms, in the forms that people paste. Pure."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from config.errors import ConfigError

FORMS: Final = (
    "wss://HOST[:PORT]#ROOM",
    "livekit://HOST[:PORT]/ROOM",
    "https://MEET/custom?liveKitUrl=wss://HOST&token=TOKEN",
)
MAX_ROOM_NAME: Final = 256
"""Characters; LiveKit's own limit is the same."""


@dataclass(frozen=True, slots=True)
class LiveKitUrl:
    """A server, and what the address says about the room there."""

    server: str
    """``ws://`` or ``wss://``, without the ``/rtc`` that clients add."""
    room: str
    """Empty where only the token names it."""
    token: str = field(default="", repr=False)
    """The one in the address, if any. Never shown."""


def is_livekit_url(url: str) -> bool:
    """Whether ``url`` has one of the FORMS, well-formed or not."""
    parts = _split(url)
    if parts is None:
        return False
    match parts.scheme:
        case "livekit":
            return True
        case "ws" | "wss":
            return bool(parts.fragment)
        case "http" | "https":
            return "liveKitUrl" in parse_qs(parts.query)
    return False


def parse_livekit_url(url: str) -> LiveKitUrl:
    """What ``url`` says; raises ConfigError, which never repeats a token."""
    parts = _split(url)
    if parts is None or not is_livekit_url(url):
        raise ConfigError("not the address of a LiveKit room", do=f"give {' or '.join(FORMS)}")
    if parts.scheme in ("http", "https"):
        return _meet(parse_qs(parts.query))
    if parts.scheme == "livekit":
        scheme = "ws" if _is_this_machine(parts.hostname or "") else "wss"
        room = unquote(parts.path.strip("/"))
        return LiveKitUrl(_server(parts, scheme, ""), _checked(room))
    return LiveKitUrl(_server(parts, parts.scheme, parts.path), _checked(unquote(parts.fragment)))


def _meet(query: dict[str, list[str]]) -> LiveKitUrl:
    server = _split(query["liveKitUrl"][0])
    if server is None or server.scheme not in ("ws", "wss", "http", "https"):
        raise ConfigError("liveKitUrl is no wss:// address", where="LiveKit meet link")
    scheme = {"http": "ws", "https": "wss"}.get(server.scheme, server.scheme)
    token = query.get("token", [""])[0]
    return LiveKitUrl(_server(server, scheme, server.path), "", token)


def _server(parts: SplitResult, scheme: str, path: str) -> str:
    host = parts.hostname
    try:
        port = parts.port
    except ValueError:
        port = 0
    if not host or port == 0:
        raise ConfigError(
            "the address names no server", where="LiveKit", do=f"give {' or '.join(FORMS)}"
        )
    host = f"[{host}]" if ":" in host else host
    where = host if port is None else f"{host}:{port}"
    # People paste what their client showed, which may end in /rtc already.
    return f"{scheme}://{where}{path.rstrip('/').removesuffix('/rtc')}"


def _checked(room: str) -> str:
    if not 0 < len(room) <= MAX_ROOM_NAME:
        raise ConfigError(
            f"a room's name has 1 to {MAX_ROOM_NAME} characters",
            where="LiveKit address",
            do=f"give {' or '.join(FORMS)}",
        )
    return room


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None
