"""Read and edit session descriptions (RFC 8866) as the rooms need it. Pure: text in, text out."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiortc.sdp import MediaDescription, SessionDescription

ParsedMedia: TypeAlias = MediaDescription
"""One section of a parsed description: aiortc's, whose module is not documented."""
ParsedDescription: TypeAlias = SessionDescription
"""A parsed description, likewise."""
MAX_SDP: Final = 1 << 20
"""Characters. A LiveKit server's offer with a hundred cameras has 150 KiB."""
MAX_SECTIONS: Final = 1000
"""Media sections of one description; more are refused, which bounds the time to read it."""
DECODABLE: Final = frozenset({"VP8", "H264"})
"""The video codecs that aiortc decodes, by the encoding names of RFC 7741 and RFC 6184."""
AUXILIARY: Final = frozenset({"RTX", "RED", "ULPFEC", "FLEXFEC-03"})
"""Formats that carry no picture of their own: retransmission and error correction."""
USABLE_CODECS: Final[Mapping[str, frozenset[str]]] = {
    "video": DECODABLE,
    "audio": frozenset({"OPUS", "PCMU", "PCMA", "G722"}),
}
"""The codecs that aiortc takes, by kind of section."""
SENDING: Final = ("sendonly", "sendrecv")

_RTPMAP: Final = re.compile(r"a=rtpmap:(\d+) ([\w.-]+)/")
_APT: Final = re.compile(r"a=fmtp:(\d+) (?:.*;)?apt=(\d+)")
_OF_PAYLOAD: Final = re.compile(r"a=(?:rtpmap|fmtp|rtcp-fb):(\d+) ")
_CODEC: Final = re.compile(r"^a=rtpmap:\d+ ([\w.-]+)/", re.MULTILINE)
_SSRC: Final = re.compile(r"^a=ssrc:(\d{1,10})\b", re.MULTILINE)
_MSID: Final = re.compile(r"^a=msid:(\S+) (\S+)", re.MULTILINE)
_MID: Final = re.compile(r"^a=mid:(\S+)", re.MULTILINE)
_NOT_SENDING: Final = re.compile(r"^a=(recvonly|inactive)\b", re.MULTILINE)
_FORMATS: Final = re.compile(r"^a=(rtpmap|fmtp|rtcp-fb|ssrc|ssrc-group|msid|simulcast|rid)\b")
_DIRECTION: Final = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\b")
_ANY_DIRECTION: Final = re.compile(_DIRECTION.pattern, re.MULTILINE)
_CANDIDATE: Final = re.compile(r"^a=candidate:\S+ \d+ (\w+) .* typ (\w+)", re.MULTILINE)
_PLACEHOLDERS: Final = {
    "video": ("96", "a=rtpmap:96 VP8/90000"),
    "audio": ("111", "a=rtpmap:111 opus/48000/2"),
}
"""Payload type and format of a section that is only kept for its place."""


def parse_description(sdp: str) -> ParsedDescription:
    """Parse ``sdp``; raises ValueError where it is not a session description."""
    if len(sdp) > MAX_SDP:
        raise ValueError(f"a session description of {len(sdp)} characters")
    try:
        return SessionDescription.parse(sdp)
    except Exception as error:
        # The parser meets bad text with any exception: AttributeError, IndexError, …
        raise ValueError("not a session description") from error


def sends(media: ParsedMedia) -> bool:
    """Whether the side that wrote ``media`` sends in it."""
    # A section without a direction is sendrecv (RFC 8866 §6.7).
    return bool(media.port) and (media.direction or "sendrecv") in SENDING


def sent_video(description: ParsedDescription) -> list[ParsedMedia]:
    """Return the video sections in which the side that wrote ``description`` sends."""
    return [media for media in description.media if media.kind == "video" and sends(media)]


def video_codecs(media: ParsedMedia) -> frozenset[str]:
    """Return the names of the codecs in ``media``, in capitals, without auxiliary formats."""
    return frozenset(codec.name.upper() for codec in media.rtp.codecs) - AUXILIARY


def continues(offer: ParsedDescription, before: ParsedDescription) -> bool:
    """Whether the connection that took the offer ``before`` can take ``offer`` as well.

    It can't where ICE or DTLS restart, or a known section brings another stream: aiortc restarts
    neither, and its router does not learn the new SSRC.
    """
    return len(offer.media) >= len(before.media) and all(
        _transport(new) == _transport(old) and _same_stream(new, old)
        for new, old in zip(offer.media, before.media, strict=False)
    )


def _same_stream(new: ParsedMedia, old: ParsedMedia) -> bool:
    ssrcs = [{item.ssrc for item in media.ssrc} for media in (new, old)]
    return not all(ssrcs) or ssrcs[0] == ssrcs[1]


def _transport(media: ParsedMedia) -> tuple[object, ...]:
    fingerprints = media.dtls.fingerprints if media.dtls else ()
    names = (fingerprint.value for fingerprint in fingerprints)
    return (media.ice.usernameFragment if media.ice else None, *names)


@dataclass(frozen=True, slots=True)
class VideoSection:
    """A video section of an offer, and the track that it carries at the moment."""

    mid: str
    track: str
    """The track's id by ``msid`` (RFC 8830); empty where the section carries none."""
    ssrcs: tuple[int, ...]
    """In their order (RFC 5576): the stream's, then that of its retransmissions."""


def video_sections(sdp: str) -> tuple[VideoSection, ...]:
    """Return the video sections of ``sdp`` in their order; raises ValueError as below.

    A section carries a track where its side sends in it, in a codec that can be decoded, and it
    has an msid and an SSRC.
    """
    found = []
    for section in split_sections(sdp)[1:]:
        if _kind(section) == "video" and (mid := _MID.search(section)):
            msid = _MSID.search(section)
            ssrcs = tuple(dict.fromkeys(int(number) for number in _SSRC.findall(section)))
            carries = _is_usable(section) and not _NOT_SENDING.search(section)
            if carries and msid and ssrcs:
                found.append(VideoSection(mid[1], msid[2], ssrcs))
            else:
                found.append(VideoSection(mid[1], "", ()))
    return tuple(found)


def deactivate_unknown_codecs(sdp: str) -> str:
    """Make the sections without a codec of ``USABLE_CODECS`` inactive ones with such a codec.

    aiortc refuses an offer as a whole if it knows no codec of one section, so that one participant
    would cost us all others. Raises ValueError where ``sdp`` is not a description, or too large.
    """
    head, *sections = split_sections(sdp)
    kept = [
        section if _is_usable(section) else _deactivated(section, _kind(section))
        for section in sections
    ]
    return "".join([head, *kept]).replace("\n", "\r\n")


def keep_video_codecs(sdp: str, names: Collection[str]) -> str:
    """Return ``sdp`` without the video codecs that are not in ``names`` (in capitals).

    Their retransmission formats go too. A section that is left with no format is kept as it is, to
    be refused by the peer connection.
    """
    head, *sections = split_sections(sdp)
    kept = [
        "\n".join(_only_codecs(section.split("\n"), names))
        if _kind(section) == "video"
        else section
        for section in sections
    ]
    return "".join([head, *kept]).replace("\n", "\r\n")


def complete_directions(sdp: str) -> str:
    """Return ``sdp`` with a direction in each section, which aiortc needs.

    Where a section has none, the session's holds, and sendrecv where that has none (RFC 8866 §6.7).
    """
    head, *sections = split_sections(sdp)
    found = _ANY_DIRECTION.search(head)
    default = found[0] if found else "a=sendrecv"
    kept = [
        section if _ANY_DIRECTION.search(section) else section.rstrip("\n") + f"\n{default}\n"
        for section in sections
    ]
    return "".join([head, *kept]).replace("\n", "\r\n")


def candidate_types(sdp: str) -> Counter[str]:
    """Count the ICE candidates in ``sdp`` by type and transport, as in ``host udp``."""
    found = _CANDIDATE.findall(sdp)
    return Counter(f"{kind} {transport.lower()}" for transport, kind in found)


def split_sections(sdp: str) -> list[str]:
    """Return the session part and each media section, with ``\\n`` as line end.

    Raises ValueError where ``sdp`` is not a description with media, or too large.
    """
    if len(sdp) > MAX_SDP:
        raise ValueError(f"a session description of {len(sdp)} characters")
    parts = re.split(r"^(?=m=)", sdp.replace("\r\n", "\n"), flags=re.MULTILINE)
    if not parts[0].startswith("v=0") or not 1 < len(parts) <= MAX_SECTIONS + 1:
        raise ValueError("not a session description with media")
    return parts


def _kind(section: str) -> str:
    return section[2:].partition(" ")[0]


def _is_usable(section: str) -> bool:
    known = USABLE_CODECS.get(_kind(section))
    return known is None or any(codec.upper() in known for codec in _CODEC.findall(section))


def _deactivated(section: str, kind: str) -> str:
    payload, rtpmap = _PLACEHOLDERS[kind]
    first, *attributes = section.splitlines()
    first = " ".join([*first.split(" ")[:3], payload])
    kept = [line for line in attributes if not (_FORMATS.match(line) or _DIRECTION.match(line))]
    return "\n".join([first, *kept, rtpmap, "a=inactive", ""])


def _only_codecs(lines: list[str], names: Collection[str]) -> Iterator[str]:
    kept: set[str] = set()
    for line in lines:
        if match := _RTPMAP.match(line):
            kept |= {match[1]} if match[2].upper() in names else set()
        elif (match := _APT.match(line)) and match[2] in kept:
            kept.add(match[1])
    for line in lines:
        if kept and line.startswith("m="):
            fields = line.split()
            yield " ".join([*fields[:3], *(payload for payload in fields[3:] if payload in kept)])
        elif not kept or not (match := _OF_PAYLOAD.match(line)) or match[1] in kept:
            yield line
