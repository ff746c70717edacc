"""Why a LiveKit server lets a participant go, and whether coming back can help. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest


class Verdict(Enum):
    """What follows from having been let go."""

    OVER = auto()
    """The meeting is over for everybody."""
    REFUSED = auto()
    """They won't have us: coming back can't help."""
    LOST = auto()
    """The connection is gone: coming back may help."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The server lets this participant go, or is gone itself."""

    verdict: Verdict
    why: str
    do: str = ""
    servers: tuple[str, ...] = ()
    """Where to go next instead, as ``wss://`` addresses, the nearest first."""


_LOST: Final = Verdict.LOST
_REFUSED: Final = Verdict.REFUSED

REASONS: Final[Mapping[int, Leaving]] = {
    DisconnectReason.UNKNOWN_REASON: Leaving(_LOST, "the server ended the connection"),
    DisconnectReason.CLIENT_INITIATED: Leaving(_LOST, "the server says that we left"),
    DisconnectReason.DUPLICATE_IDENTITY: Leaving(
        _REFUSED,
        "somebody else joined with the same identity",
        "give each sidecar a token with an identity of its own",
    ),
    DisconnectReason.SERVER_SHUTDOWN: Leaving(_LOST, "the server shuts down"),
    DisconnectReason.PARTICIPANT_REMOVED: Leaving(
        _REFUSED, "a moderator removed us from the room", "ask them before you come back"
    ),
    DisconnectReason.ROOM_DELETED: Leaving(_REFUSED, "the room was deleted"),
    DisconnectReason.STATE_MISMATCH: Leaving(_LOST, "the server lost track of us"),
    DisconnectReason.JOIN_FAILURE: Leaving(_LOST, "the server could not let us in"),
    DisconnectReason.MIGRATION: Leaving(_LOST, "the room moves to another server"),
    DisconnectReason.SIGNAL_CLOSE: Leaving(_LOST, "the signalling connection was closed"),
    DisconnectReason.ROOM_CLOSED: Leaving(Verdict.OVER, "everybody left, and the room closed"),
    DisconnectReason.USER_UNAVAILABLE: Leaving(_LOST, "a caller was not available"),
    DisconnectReason.USER_REJECTED: Leaving(_REFUSED, "a caller rejected the call"),
    DisconnectReason.SIP_TRUNK_FAILURE: Leaving(_LOST, "a telephone line failed"),
    DisconnectReason.CONNECTION_TIMEOUT: Leaving(_LOST, "the server heard nothing from us"),
    DisconnectReason.MEDIA_FAILURE: Leaving(_LOST, "the media connection failed"),
    DisconnectReason.AGENT_ERROR: Leaving(_LOST, "the server counts us as a failed agent"),
}
"""Every reason of the protocol; one that is newer than this list counts as UNKNOWN_REASON."""

MOVED: Final = Leaving(_LOST, "the server moved us to another room")
MAX_REGIONS: Final = 8
MAX_URL: Final = 2048


def read_leave(leave: LeaveRequest) -> Leaving:
    """What a server's ``leave`` means for us.

    Where it asks us to come back (RESUME, RECONNECT), that goes before the reason.
    """
    known = REASONS.get(leave.reason, REASONS[DisconnectReason.UNKNOWN_REASON])
    back = leave.action != LeaveRequest.DISCONNECT or leave.can_reconnect
    regions = [region.url for region in leave.regions.regions[:MAX_REGIONS]]
    servers = tuple(url for url in regions if 0 < len(url) <= MAX_URL)
    if back:
        return Leaving(_LOST, known.why, servers=servers)
    return Leaving(known.verdict, known.why, known.do, servers)
