"""Addresses of Janus rooms: what to connect to, and what may be shown of it. Pure."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from config.errors import ConfigError

PORTS: Final = {"ws": 8188, "wss": 8989, "http": 8088, "https": 8089}
"""Where Janus listens unless it is told otherwise."""
FORMS: Final = (
    "janus://HOST[:PORT]/ROOM",
    "janus+wss://HOST[:PORT]/ROOM",
    "janus+http://HOST[:PORT]/ROOM",
    "janus+https://HOST[:PORT]/ROOM",
)
_SCHEMES: Final = {
    "janus": "ws",
    "janus+ws": "ws",
    "janus+wss": "wss",
    "januss": "wss",
    "janus+http": "http",
    "janus+https": "https",
}
HOW: Final = "write janus://HOST[:PORT]/ROOM, or janus+wss, janus+http or janus+https for janus"


@dataclass(frozen=True, slots=True)
class Address:
    """A room of a Janus server."""

    server: str
    """Where its API is: ``ws://…``, ``wss://…``, ``http://…`` or ``https://…``."""
    room: str
    pin: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """The address as it may be printed: it holds no secret."""
        return f"janus+{self.server.rstrip('/')}/{self.room}"

    @property
    def long_polls(self) -> bool:
        """Whether the server is spoken to by HTTP rather than by WebSocket."""
        return self.server.startswith("http")


def recognises(url: str) -> bool:
    """Whether ``url`` has one of our schemes."""
    return url.partition("://")[0].lower() in _SCHEMES


def read(url: str, pin: str = "") -> Address:
    """The room that ``url`` names, with the PIN in it or else ``pin``.

    Whatever stands before the room's name in the path is the path of the server's API. Raises
    ConfigError for an address that names no host or room; what it says holds no secret.
    """
    shown = url.partition("?")[0].rpartition("@")[2]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"no address of a Janus room: {error}", where=shown, do=HOW) from error
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None or not host:
        raise ConfigError("no address of a Janus room", where=shown, do=HOW)
    path, _, room = parts.path.rstrip("/").rpartition("/")
    if not room:
        raise ConfigError("the address names no room", where=shown, do=HOW)
    if not path:
        path = "/janus" if scheme.startswith("http") else "/"
    place = f"[{host}]" if ":" in host else host
    pins = parse_qs(parts.query).get("pin") or [pin]
    return Address(f"{scheme}://{place}:{port or PORTS[scheme]}{path}", unquote(room), pins[-1])
