"""Which ICE servers to use, and in which order. Pure.

aiortc uses one STUN and one TURN server, so that the best have to be chosen for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

MAX_SERVERS: Final = 32
"""How many are looked at."""
_RANKS: Final[Mapping[tuple[str, str | None], int]] = {
    ("stun", None): 0,
    ("turn", "udp"): 1,
    ("turn", "tcp"): 2,
    ("turns", "tcp"): 3,
}
"""UDP goes before TCP before TLS, since each adds delay."""


def in_order(
    own: Iterable[RTCIceServer], named: Iterable[RTCIceServer], proven: str = ""
) -> list[RTCIceServer]:
    """Those that aiortc can use, one address each: our ``own`` and the TURN servers ``named``.

    STUN goes first, then TURN over UDP, TCP and TLS, since each adds delay; a TURN server that was
    of use before (``proven``, its address) goes before the others. A STUN server named by
    a media server is left out: it tells us nothing that the media server doesn't see for itself,
    and costs five seconds where it can't be reached.
    """
    servers = [
        *((server, url) for server in own for url in _urls(server)),
        *((server, url) for server in named for url in _urls(server) if url.startswith("turn")),
    ][:MAX_SERVERS]
    ranked = [
        (rank, RTCIceServer(url, server.username, server.credential))
        for server, url in servers
        if (rank := _rank(url)) is not None
    ]
    ranked.sort(key=lambda entry: (entry[0] > 0, entry[1].urls != proven, entry[0]))
    return [server for _, server in ranked]


def nth_best(
    own: Iterable[RTCIceServer], named: Iterable[RTCIceServer], attempt: int = 0
) -> list[RTCIceServer]:
    """The STUN server and the TURN server to use in the ``attempt``-th try (0, 1, …).

    Each failure takes the next best TURN server: where UDP is blocked, TLS may get through.
    """
    servers = in_order(own, named)
    turn = [server for server in servers if is_relay(server)]
    stun = [server for server in servers if not is_relay(server)]
    return stun[:1] + (turn[attempt % len(turn) :][:1] if turn else [])


def single(servers: Iterable[RTCIceServer]) -> list[RTCIceServer]:
    """A server of its own for each address."""
    return [
        RTCIceServer(url, server.username, server.credential)
        for server in servers
        for url in _urls(server)
    ]


def is_relay(server: RTCIceServer) -> bool:
    """Whether it is a TURN server; it has one address."""
    return str(server.urls).startswith("turn")


def _urls(server: RTCIceServer) -> Sequence[str]:
    return [server.urls] if isinstance(server.urls, str) else server.urls


def _rank(url: str) -> int | None:
    """The place of ``url``, the best first; None for what aiortc can't use."""
    try:
        parsed = parse_stun_turn_uri(url)
    except ValueError:
        return None
    return _RANKS.get((parsed["scheme"], parsed.get("transport")))
