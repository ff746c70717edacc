"""Which ICE servers to connect by. Pure.

aiortc uses one STUN and one TURN server, so that the best have to be chosen for it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

MAX_SERVERS: Final = 32
_COSTS: Final[Mapping[tuple[str, str | None], int]] = {
    ("turn", "udp"): 0,
    ("turn", "tcp"): 1,
    ("turns", "tcp"): 2,
}
"""UDP goes before TCP before TLS, since each adds delay."""


def choose(
    own: Iterable[RTCIceServer], named: Iterable[RTCIceServer], attempt: int = 0
) -> list[RTCIceServer]:
    """Our ``own`` STUN server and the best TURN server of our own and those the group ``named``.

    ``attempt`` counts how often connecting failed, and takes the next best each time: where UDP is
    blocked, TLS may get through. A STUN server that the group names tells us nothing that its media
    server doesn't see for itself, and costs five seconds where it can't be reached.
    """
    ours, theirs = _single(own), _single(named)
    stun = [server for server in ours if _kind(server) == ("stun", None)]
    turn = sorted(
        (server for server in (*ours, *theirs) if _kind(server) in _COSTS),
        key=lambda server: _COSTS[_kind(server)],
    )
    return stun[:1] + (turn[attempt % len(turn) :][:1] if turn else [])


def _single(servers: Iterable[RTCIceServer]) -> list[RTCIceServer]:
    """The servers with one address each."""
    return [
        RTCIceServer(url, server.username, server.credential)
        for server in servers
        for url in ([server.urls] if isinstance(server.urls, str) else server.urls)
    ][:MAX_SERVERS]


def _kind(server: RTCIceServer) -> tuple[str, str | None]:
    """Scheme and transport; two empty words for what can't be understood."""
    try:
        parsed = parse_stun_turn_uri(str(server.urls))
    except ValueError:
        return "", ""
    return parsed["scheme"], parsed.get("transport")
