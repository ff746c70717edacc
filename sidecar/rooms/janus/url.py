"""URLs of Janus rooms: the server's API, the room and its PIN. Pure."""

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from config.errors import ConfigError
from sidecar.redaction import shown_url

PORTS: Final = {"ws": 8188, "wss": 8989, "http": 8088, "https": 8089}
"""The ports in the configuration files that Janus comes with (``janus.transport.*.jcfg``)."""
JANUS_FORMS: Final = (
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
_DO: Final = "write janus://HOST[:PORT]/ROOM, or janus+wss, janus+http or janus+https for janus"


@dataclass(frozen=True, slots=True)
class JanusUrl:
    """A room of a Janus server."""

    server: str
    """The URL of its API: ``ws://…``, ``wss://…``, ``http://…`` or ``https://…``."""
    room: str
    pin: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """The URL as it may be printed: without secrets."""
        return shown_url(f"janus+{self.server.rstrip('/')}/{self.room}")

    @property
    def long_polls(self) -> bool:
        """Whether the transport is HTTP with a long poll rather than a WebSocket."""
        return self.server.startswith("http")

    @staticmethod
    def matches(url: str) -> bool:
        """Whether ``url`` has one of Janus' schemes."""
        return url.partition("://")[0].lower() in _SCHEMES

    @classmethod
    def parse(cls, url: str, pin: str = "") -> Self:
        """The room that ``url`` names, with the PIN in its query or else ``pin``.

        The path before the room is the path of the server's API. Raises ConfigError where the
        host or the room is missing; the error's text holds no secret.
        """
        shown = shown_url(url)
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(f"invalid Janus URL: {error}", where=shown, do=_DO) from error
        scheme = _SCHEMES.get(parts.scheme.lower())
        if scheme is None or not host:
            raise ConfigError("invalid Janus URL", where=shown, do=_DO)
        path, _, room = parts.path.rstrip("/").rpartition("/")
        if not room:
            raise ConfigError("the URL names no room", where=shown, do=_DO)
        if not path:
            path = "/janus" if scheme.startswith("http") else "/"
        place = f"[{host}]" if ":" in host else host
        pins = parse_qs(parts.query).get("pin") or [pin]
        return cls(f"{scheme}://{place}:{port or PORTS[scheme]}{path}", unquote(room), pins[-1])
