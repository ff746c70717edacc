"""Parse, filter and choose ICE candidates and servers, in one way for all rooms. Pure."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from aiortc import RTCIceCandidate, RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri
from aiortc.sdp import candidate_from_sdp

from config.settings import IceServer

MAX_CANDIDATE: Final = 1024
"""Characters of one candidate line; real ones stay below 200."""
MAX_CANDIDATES: Final = 32
"""Candidates of one session, in descriptions and trickled. Each is an address that ICE sends checks
to: a third party's server, if the other side says so."""
MAX_UFRAG: Final = 256
"""Characters of an ICE username fragment and of a password (RFC 8839 §5.4)."""
MAX_SERVERS: Final = 32
"""How many ICE servers are looked at."""
_PREFIX: Final = "candidate:"
_ATTRIBUTE: Final = "a=candidate:"
_RANKS: Final[Mapping[tuple[str, str | None], int]] = {
    ("stun", None): 0,
    ("turn", "udp"): 1,
    ("turn", "tcp"): 2,
    ("turns", "tcp"): 3,
}
"""UDP goes before TCP before TLS, since each adds delay."""


def parse_candidate(
    line: str, *, mid: str | None = None, index: int | None = None
) -> RTCIceCandidate:
    """Parse one candidate (RFC 8839 §5.1), with or without ``a=`` and ``candidate:`` before it.

    ``mid`` and ``index`` are its ``sdpMid`` and ``sdpMLineIndex``; with neither it belongs to the
    first section, which stands for all in a bundle. Raises ValueError for a malformed candidate.
    """
    if len(line) > MAX_CANDIDATE:
        raise ValueError(f"an ICE candidate has at most {MAX_CANDIDATE} characters")
    try:
        candidate = candidate_from_sdp(line.strip().removeprefix("a=").removeprefix(_PREFIX))
    except (ValueError, AssertionError, IndexError) as error:
        raise ValueError("not an ICE candidate") from error
    if not 1 <= candidate.port <= 0xFFFF:
        raise ValueError("not an ICE candidate: its port is out of range")
    candidate.sdpMid = mid
    candidate.sdpMLineIndex = 0 if mid is None and index is None else index
    return candidate


def is_usable(candidate: RTCIceCandidate) -> bool:
    """Whether aioice can send checks to ``candidate``: a host's IP address, over UDP.

    Multicast, broadcast and unspecified addresses are no host's.
    Resolving a ``.local`` name takes multicast DNS, which containers lack; its owner's own checks
    reach us without it (as a peer-reflexive candidate). aioice has no ICE over TCP (RFC 6544).
    """
    if candidate.protocol.lower() != "udp" or candidate.type not in ("host", "srflx", "relay"):
        return False
    address = _address(candidate)
    return address is not None and not (
        address.is_multicast or address.is_unspecified or address == _BROADCAST
    )


def is_loopback(candidate: RTCIceCandidate) -> bool:
    """Whether the address of ``candidate`` is this machine's own: it leads to our services."""
    address = _address(candidate)
    return address is not None and address.is_loopback


_BROADCAST: Final = ipaddress.IPv4Address("255.255.255.255")


def _address(candidate: RTCIceCandidate) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(candidate.ip)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


class CandidateBudget:
    """The remote candidates of one session: how many it may name, and which.

    A candidate that was named before costs nothing: each section of a description repeats them.
    Loopback addresses are taken with ``loopback`` alone.
    """

    def __init__(self, limit: int = MAX_CANDIDATES, *, loopback: bool = True) -> None:
        self._limit = limit
        self._loopback = loopback
        self._known: set[tuple[str, int]] = set()
        self.dropped = 0
        """How many came beyond the limit."""

    def admits(self, candidate: RTCIceCandidate) -> bool:
        """Whether checks may be sent to ``candidate``; counts it."""
        if not is_usable(candidate) or (is_loopback(candidate) and not self._loopback):
            return False
        address = candidate.ip, candidate.port
        if address not in self._known and len(self._known) >= self._limit:
            self.dropped += 1
            return False
        self._known.add(address)
        return True


def usable_candidate(init: object) -> RTCIceCandidate | None:
    """Return the candidate of ``init``, an RTCIceCandidateInit as decoded from JSON.

    None for the end of candidates, for a malformed one, and for one that is not usable.
    """
    if not isinstance(init, Mapping):
        return None
    line, mid, index = (init.get(key) for key in ("candidate", "sdpMid", "sdpMLineIndex"))
    if not isinstance(line, str):
        return None
    try:
        candidate = parse_candidate(
            line,
            mid=mid if isinstance(mid, str) else None,
            index=index if isinstance(index, int) and not isinstance(index, bool) else None,
        )
    except ValueError:
        return None
    return candidate if is_usable(candidate) else None


def drop_unusable_candidates(sdp: str, budget: CandidateBudget | None = None) -> str:
    """Return ``sdp`` without the candidates that are not usable, or not within ``budget``.

    If there are any, the end of candidates goes too: ICE must wait for the other side's checks, and
    not fail as soon as its own have.
    """
    lines = sdp.splitlines(keepends=True)
    admits = CandidateBudget().admits if budget is None else budget.admits
    kept = [line for line in lines if not line.startswith(_ATTRIBUTE) or _admits(admits, line)]
    if len(kept) == len(lines):
        return sdp
    return "".join(line for line in kept if line.strip() != "a=end-of-candidates")


def _admits(admits: Callable[[RTCIceCandidate], bool], line: str) -> bool:
    try:
        return admits(parse_candidate(line))
    except ValueError:
        return False


class CandidateBuffer:
    """Keeps remote candidates until the description that they belong to is set."""

    def __init__(self, limit: int = MAX_CANDIDATES) -> None:
        self._limit = limit
        self._candidates: list[RTCIceCandidate] = []
        self.dropped = 0
        """How many came beyond the limit."""

    def __len__(self) -> int:
        return len(self._candidates)

    def add(self, candidate: RTCIceCandidate) -> None:
        """Keep ``candidate``, or drop it beyond the limit."""
        if len(self._candidates) < self._limit:
            self._candidates.append(candidate)
        else:
            self.dropped += 1

    def take(self) -> list[RTCIceCandidate]:
        """Return the candidates in their order, and keep none."""
        taken, self._candidates = self._candidates, []
        return taken


def configured_servers(servers: Iterable[IceServer]) -> tuple[RTCIceServer, ...]:
    """Return the ICE servers of the settings (``server.ice_servers``) in aiortc's form."""
    return tuple(
        RTCIceServer(
            server.url,
            server.username,
            None if server.credential is None else server.credential.get_secret_value(),
        )
        for server in servers
    )


def rank_servers(
    own: Iterable[RTCIceServer], named: Iterable[RTCIceServer] = (), *, proven: str = ""
) -> list[RTCIceServer]:
    """Return the servers that aiortc can use, one address each, the best first.

    ``own`` come from the settings, ``named`` from the media server. STUN goes first, then TURN over
    UDP, TCP and TLS; the TURN server ``proven`` (an address that worked before) goes before the
    others. A STUN server that a media server names is left out: it tells us nothing that the media
    server does not see for itself, and costs five seconds where it can't be reached.
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


def choose_servers(
    own: Iterable[RTCIceServer],
    named: Iterable[RTCIceServer] = (),
    *,
    attempt: int = 0,
    proven: str = "",
) -> list[RTCIceServer]:
    """Return the STUN server and the TURN server for the ``attempt``-th try (0, 1, …).

    aiortc uses one of each and no more. Each failure takes the next TURN server of the ranking:
    where UDP is blocked, TLS may get through.
    """
    servers = rank_servers(own, named, proven=proven)
    turn = [server for server in servers if is_relay(server)]
    stun = [server for server in servers if not is_relay(server)]
    return stun[:1] + (turn[attempt % len(turn) :][:1] if turn else [])


def is_relay(server: RTCIceServer) -> bool:
    """Whether ``server``, which has one address, is a TURN server."""
    return str(server.urls).startswith("turn")


def _urls(server: RTCIceServer) -> Sequence[str]:
    return [server.urls] if isinstance(server.urls, str) else server.urls


def _rank(url: str) -> int | None:
    """The place of ``url``, the best first; None for an address that aiortc can't use."""
    try:
        parsed: Mapping[str, Any] = parse_stun_turn_uri(url)
    except ValueError:
        return None
    return _RANKS.get((parsed["scheme"], parsed.get("transport")))
