"""Which SDP offers a room takes, and what it drops from them. Pure: text in, text out.

RFC 9725 (WHIP) and draft-ietf-wish-whep-03 (WHEP): one bundle, rtcp-mux, at most one audio and
exactly one video section here; audio is answered inactive, since the composite has none.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from config.errors import HttpRefusalError
from sidecar.media.h264 import ADVICE, h264_problem
from sidecar.media.ice import MAX_CANDIDATES, CandidateBudget, drop_unusable_candidates
from sidecar.media.sdp import (
    AUXILIARY,
    DECODABLE,
    ParsedDescription,
    ParsedMedia,
    complete_directions,
    keep_video_codecs,
    parse_description,
)
from sidecar.media.transports import transport_fault
from sidecar.plain_text import clean_text

MAX_BODY: Final = 64 * 1024
"""Bytes of a request body. Chromium's largest offers, with every codec, stay below 12 KiB."""
MAX_LINES: Final = 1500
MAX_LINE: Final = 1024
"""Characters of a line. With ``MAX_LINES`` it bounds the time to read an offer."""


class Role(StrEnum):
    """What a client wants of the room."""

    PUBLISH = "whip"
    WATCH = "whep"


_DIRECTIONS: Final = {
    Role.PUBLISH: ("sendonly", "sendrecv"),
    Role.WATCH: ("recvonly", "sendrecv"),
}
_CODECS: Final = {
    Role.PUBLISH: DECODABLE,
    # The composite is encoded once, as VP8, for all viewers.
    Role.WATCH: frozenset({"VP8"}),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that passed every check: ``sdp`` is what the peer connection gets."""

    sdp: str
    role: Role
    size: int
    """Bytes of the body."""
    from_loopback: bool = False
    """Whether the client is on this machine: its candidates may be then."""


def read_offer(body: bytes, content_type: str, role: Role, *, from_loopback: bool = False) -> Offer:
    """Check a POST's body; raises HttpRefusalError with the 4xx status to answer and the reason.

    ``from_loopback`` says that the client is on this machine.
    """
    if content_type.partition(";")[0].strip().lower() != "application/sdp":
        raise _refused(415, "the body must be application/sdp", role)
    sdp = "\r\n".join(line for line in _lines(body, role) if line != "a=end-of-candidates") + "\r\n"
    budget = CandidateBudget(loopback=from_loopback)
    try:
        # The end of candidates goes too: the browser's own checks reach us in any case (as from a
        # peer-reflexive candidate), provided that we do not give up before they arrive.
        sdp = drop_unusable_candidates(sdp, budget)
        if role is Role.WATCH:
            # The answer keeps the order of the offer, and the composite is sent as the first codec
            # of the answer: a viewer must not be made to expect another.
            sdp = keep_video_codecs(sdp, _CODECS[role])
        description = parse_description(complete_directions(sdp))
    except ValueError as error:
        raise _refused(400, "not an SDP offer", role) from error
    if budget.dropped:
        raise _refused(400, f"an SDP offer has at most {MAX_CANDIDATES} candidates", role)
    _check_sections(description, role)
    return Offer(sdp, role, len(body), from_loopback)


def _refused(status: int, what: str, role: Role) -> HttpRefusalError:
    do = f"send a {role.upper()} client's offer, as application/sdp"
    return HttpRefusalError(what, status=status, where=role.value, do=do)


def _lines(body: bytes, role: Role) -> list[str]:
    if len(body) > MAX_BODY:
        raise _refused(413, f"an offer has at most {MAX_BODY} bytes", role)
    try:
        lines = body.decode().splitlines()
    except UnicodeDecodeError as error:
        raise _refused(400, "an SDP offer is UTF-8 text", role) from error
    if not lines or lines[0] != "v=0":
        raise _refused(400, "not an SDP offer: it must begin with v=0", role)
    if len(lines) > MAX_LINES or max(map(len, lines)) > MAX_LINE:
        limits = f"{MAX_LINES} lines of {MAX_LINE} characters"
        raise _refused(400, f"an SDP offer has at most {limits}", role)
    return lines


def _check_sections(description: ParsedDescription, role: Role) -> None:
    kinds = [media.kind for media in description.media]
    if not kinds or set(kinds) - {"audio", "video"}:
        raise _refused(400, "an offer has audio and video sections only", role)
    if kinds.count("video") != 1 or kinds.count("audio") > 1:
        raise _refused(422, "an offer has one video section and at most one of audio", role)
    mids = [media.rtp.muxId for media in description.media]
    if not all(mids) or len(set(mids)) < len(mids):
        raise _refused(400, "every section of an offer has its own a=mid", role)
    bundles = [group.items for group in description.group if group.semantic == "BUNDLE"]
    if len(mids) > 1 and (len(bundles) != 1 or set(bundles[0]) != set(mids)):
        raise _refused(400, "all sections must be in one BUNDLE group", role)
    for media in description.media:
        _check_section(media, role)


def _check_section(media: ParsedMedia, role: Role) -> None:
    if not media.rtcp_mux:
        raise _refused(400, f"the {media.kind} section lacks a=rtcp-mux", role)
    if fault := transport_fault(media, "offer"):
        raise _refused(400, f"the {media.kind} section {fault}", role)
    if media.kind != "video":
        return
    # A section without a direction is sendrecv (RFC 8866 §6.7).
    if (media.direction or "sendrecv") not in _DIRECTIONS[role]:
        wanted = " or ".join(_DIRECTIONS[role])
        raise _refused(422, f"the video must be {wanted}, not {media.direction}", role)
    _check_codecs(media, role)


def _check_codecs(media: ParsedMedia, role: Role) -> None:
    problems = []
    for codec in media.rtp.codecs:
        name = codec.name.upper()
        if name == "H264" and role is Role.PUBLISH:
            problem = h264_problem(codec.parameters)
        else:
            problem = "" if name in _CODECS[role] else clean_text(codec.name, 20)
        if not problem:
            return
        if name not in AUXILIARY:
            problems.append(problem)
    offered = ", ".join(dict.fromkeys(problems[:8])) or "no codec"
    if role is Role.WATCH:
        what, do = "the composite is sent as VP8", "offer to receive VP8"
    else:
        what, do = "cameras are taken as H264 or VP8", ADVICE
    what = f"{what}; the video offers {offered}"
    raise HttpRefusalError(what, status=422, where=role.value, do=do)
