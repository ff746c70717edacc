"""Trickle ICE by PATCH (RFC 8840): fragments of candidates, and their entity tags. Pure."""

from typing import Final

from aiortc import RTCIceCandidate

from config.errors import HttpRefusalError
from sidecar.media.ice import MAX_CANDIDATE, MAX_CANDIDATES, is_usable, parse_candidate

CONTENT_TYPE: Final = "application/trickle-ice-sdpfrag"
_PREFIX: Final = "a=candidate:"


def read_fragment(body: bytes, content_type: str) -> list[RTCIceCandidate]:
    """The candidates in a PATCH's body; raises HttpRefusalError 400, 413 or 415.

    Those that aioice can't use (mDNS names, TCP) are left out, as they are in an offer.
    """
    if content_type.partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise _refused(415, f"the body must be {CONTENT_TYPE}")
    if len(body) > MAX_CANDIDATES * MAX_CANDIDATE:
        raise _refused(413, f"a fragment has at most {MAX_CANDIDATES} candidates")
    try:
        mid: str | None = None
        candidates = []
        for line in body.decode().splitlines():
            if line.startswith("a=mid:"):
                mid = line.partition(":")[2]
            elif line.startswith(_PREFIX):
                if mid is None:
                    raise _refused(400, "a candidate must follow the a=mid it belongs to")
                candidates.append(parse_candidate(line, mid=mid))
    except ValueError as error:
        raise _refused(400, "not an SDP fragment of ICE candidates") from error
    if len(candidates) > MAX_CANDIDATES:
        raise _refused(413, f"a fragment has at most {MAX_CANDIDATES} candidates")
    return [candidate for candidate in candidates if is_usable(candidate)]


def check_entity(if_match: str | None, etag: str) -> None:
    """Check a PATCH's ``If-Match`` against the ICE session's ``etag`` (quoted).

    Raises HttpRefusalError: 428 where it is missing, 412 where it is another ICE session's, 422
    where it is ``*``, which asks for an ICE restart: joining again is how a session restarts here.
    """
    if if_match is None:
        raise _refused(428, f"a PATCH needs If-Match: {etag}")
    tags = [tag.strip() for tag in if_match.split(",")]
    if tags == ["*"]:
        raise _refused(422, "ICE restarts are not supported", "DELETE the session and POST again")
    if etag not in tags:
        raise _refused(412, "If-Match names another ICE session")


_TRICKLE: Final = "leave it out: an offer with all its candidates does without"


def _refused(status: int, what: str, do: str = _TRICKLE) -> HttpRefusalError:
    return HttpRefusalError(what, status=status, where="PATCH", do=do)
