"""A LiveKit server's offers: what each line carries, and the form in which aiortc takes them.

Pure; SDP as in RFC 8866, msid RFC 8830, SSRC attributes RFC 5576.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_SDP: Final = 1 << 20
MAX_LINES: Final = 1000
CODECS: Final = {"video": {"vp8", "h264"}, "audio": {"opus", "pcmu", "pcma", "g722"}}
"""What aiortc decodes."""
_HARMLESS: Final = {
    "video": ("96", "a=rtpmap:96 VP8/90000"),
    "audio": ("111", "a=rtpmap:111 opus/48000/2"),
}
_CODEC: Final = re.compile(r"^a=rtpmap:\d+ ([\w.-]+)/", re.MULTILINE)
_SSRC: Final = re.compile(r"^a=ssrc:(\d{1,10})\b", re.MULTILINE)
_MSID: Final = re.compile(r"^a=msid:(\S+) (\S+)", re.MULTILINE)
_MID: Final = re.compile(r"^a=mid:(\S+)", re.MULTILINE)
_SILENT: Final = re.compile(r"^a=(recvonly|inactive)\b", re.MULTILINE)
_FORMATS: Final = re.compile(r"^a=(rtpmap|fmtp|rtcp-fb|ssrc|ssrc-group|msid|simulcast|rid)\b")
_DIRECTION: Final = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\b")


@dataclass(frozen=True, slots=True)
class Line:
    """A media section that carries a video track to us, or none at the moment."""

    mid: str
    track: str
    """The server's id of the track it carries; empty where it carries none."""
    ssrcs: tuple[int, ...]
    """In their order: the stream's, then that of its resent packets."""


@dataclass(frozen=True, slots=True)
class ReadOffer:
    """An offer that aiortc takes, and its lines of video."""

    sdp: str
    lines: tuple[Line, ...]


def read_offer(sdp: str) -> ReadOffer:
    """Read ``sdp``; raises ValueError where it is none, or beyond all limits.

    aiortc refuses an offer as a whole when it knows no codec of one section: such a section becomes
    an inactive one in a codec that it knows, so that one participant's never costs the others
    theirs.
    """
    if len(sdp) > MAX_SDP:
        raise ValueError(f"an offer of {len(sdp)} characters")
    head, *sections = re.split(r"^(?=m=)", sdp.replace("\r\n", "\n"), flags=re.MULTILINE)
    if not head.startswith("v=0") or not 0 < len(sections) <= MAX_LINES:
        raise ValueError("not an offer")
    lines, kept = [], [head]
    for section in sections:
        kind = section[2:].partition(" ")[0]
        usable = kind not in CODECS or _usable(section, CODECS[kind])
        kept.append(section if usable else _silenced(section, kind))
        if kind == "video" and (mid := _MID.search(section)):
            lines.append(_line(mid[1], section, sends=usable and not _SILENT.search(section)))
    return ReadOffer("".join(kept).replace("\n", "\r\n"), tuple(lines))


def _line(mid: str, section: str, *, sends: bool) -> Line:
    msid = _MSID.search(section)
    ssrcs = tuple(dict.fromkeys(int(number) for number in _SSRC.findall(section)))
    if not (sends and msid and ssrcs):
        return Line(mid, "", ())
    # The stream is PA_…|TR_… or PA_…|name; the track is TR_… in every version.
    return Line(mid, msid[2], ssrcs)


def _usable(section: str, known: set[str]) -> bool:
    return any(codec.lower() in known for codec in _CODEC.findall(section))


def _silenced(section: str, kind: str) -> str:
    payload, rtpmap = _HARMLESS[kind]
    first, *attributes = section.splitlines()
    first = " ".join([*first.split(" ")[:3], payload])
    kept = [line for line in attributes if not (_FORMATS.match(line) or _DIRECTION.match(line))]
    return "\n".join([first, *kept, rtpmap, "a=inactive", ""])
