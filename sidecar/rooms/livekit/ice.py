"""Which of the ICE servers offered to use. Pure.

aiortc takes one STUN and one TURN server, so that the best have to be chosen here.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

MAX_SERVERS: Final = 32
"""How many are looked at."""


def choose_servers(servers: Iterable[RTCIceServer], attempt: int = 0) -> list[RTCIceServer]:
    """The first STUN server and the best TURN server of ``servers``, in aiortc's form.

    UDP goes before TCP before TLS, since each adds delay; ``attempt`` counts how often connecting
    failed before, and takes the next best each time: where UDP is blocked, TLS may get through.
    """
    urls = [
        (server, url)
        for server in list(servers)[:MAX_SERVERS]
        for url in _urls(server)
        if _cost(url) is not None
    ]
    stun = [(server, url) for server, url in urls if url.startswith("stun:")][:1]
    turn = sorted(
        ((server, url) for server, url in urls if url.startswith(("turn:", "turns:"))),
        key=lambda entry: _cost(entry[1]) or 0,
    )
    chosen = stun + (turn[attempt % len(turn) :][:1] if turn else [])
    return [RTCIceServer(url, server.username, server.credential) for server, url in chosen]


def relays(servers: Iterable[RTCIceServer]) -> list[RTCIceServer]:
    """The TURN servers among ``servers``.

    A media server sees our address for itself: its STUN server tells nothing new, and costs up to
    five seconds where it can't be reached.
    """
    return [
        RTCIceServer(url, server.username, server.credential)
        for server in servers
        for url in _urls(server)
        if url.startswith(("turn:", "turns:"))
    ]


def _urls(server: RTCIceServer) -> Sequence[str]:
    return [server.urls] if isinstance(server.urls, str) else server.urls


def _cost(url: str) -> int | None:
    """How far ``url`` is from the best; None for what aiortc can't use."""
    try:
        parsed = parse_stun_turn_uri(url)
    except ValueError:
        return None
    return {
        ("stun", None): 0,
        ("turn", "udp"): 0,
        ("turn", "tcp"): 1,
        ("turns", "tcp"): 2,
    }.get((parsed["scheme"], parsed.get("transport")))
