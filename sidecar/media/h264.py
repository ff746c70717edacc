"""Which H.264 offers the decoder takes, and how aiortc is made to take them. Pure.

aiortc knows H.264 of the baseline profiles with packetization mode 1 alone, and refuses an offer of
FFmpeg or of most hardware encoders. Its decoder, FFmpeg's, reads more, and its depayloader reads
packets of mode 0, whose forms are a part of those of mode 1 (RFC 6184 §5.4). So the parameters are
replaced before aiortc reads a description, and what was offered stands in the answer.
"""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from sidecar.media.sdp import split_sections

PROFILES: Final = {0x42: "Baseline", 0x4D: "Main", 0x64: "High"}
"""``profile_idc`` (H.264 Annex A) of the profiles with 8 bits and 4:2:0, which are decoded; their
constrained forms are subsets."""
ADVICE: Final = "set the encoder to VP8, or to H.264 Baseline, Main or High (8 bits, 4:2:0)"
DEFAULT_PROFILE: Final = "42e01f"
"""What is meant where an offer names none: WebRTC's older clients (RFC 6184 §8.1 says 42000a)."""
_KNOWN: Final = f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={DEFAULT_PROFILE}"
_RTPMAP: Final = re.compile(r"^a=rtpmap:(\d+) H264/90000\s*$", re.MULTILINE | re.IGNORECASE)

OfferedFormats: TypeAlias = Mapping[tuple[int, str], str]
"""The ``fmtp`` parameters of H.264 by section and payload type; empty where there were none."""


def h264_problem(parameters: Mapping[str, object]) -> str:
    """Why a stream with these ``fmtp`` parameters can't be decoded; empty if it can."""
    mode = str(parameters.get("packetization-mode", 0))
    if mode not in ("0", "1"):
        return f"H.264 with packetization-mode {mode[:8]}"
    profile = str(parameters.get("profile-level-id", DEFAULT_PROFILE))
    if not re.fullmatch(r"[0-9a-fA-F]{6}", profile):
        return "H.264 with a malformed profile-level-id"
    if int(profile[:2], 16) not in PROFILES:
        return f"H.264 of profile-level-id {profile}"
    return ""


def replace_h264_formats(sdp: str) -> tuple[str, OfferedFormats]:
    """Return ``sdp`` with parameters that aiortc takes for all H.264 that can be decoded, and the
    parameters that stood there. Raises ValueError where it is not a description."""
    head, *sections = split_sections(sdp)
    offered: dict[tuple[int, str], str] = {}
    for index, section in enumerate(sections):
        for payload in _RTPMAP.findall(section):
            found = _fmtp(payload).search(section)
            parameters = found[1].strip() if found else ""
            if h264_problem(read_parameters(parameters)):
                continue
            offered[index, payload] = parameters
            line = f"a=fmtp:{payload} {_KNOWN}"
            if found:
                sections[index] = _fmtp(payload).sub(line, sections[index])
            else:
                rtpmap = re.compile(rf"^(a=rtpmap:{payload} .*)$", re.MULTILINE)
                sections[index] = rtpmap.sub(rf"\1\n{line}", sections[index])
    return "".join([head, *sections]).replace("\n", "\r\n"), offered


def restore_h264_formats(sdp: str, offered: OfferedFormats) -> str:
    """Return the answer ``sdp`` with the parameters that were ``offered``."""
    head, *sections = split_sections(sdp)
    for (index, payload), parameters in offered.items():
        line = f"a=fmtp:{payload} {parameters}\n" if parameters else ""
        whole = re.compile(rf"^a=fmtp:{payload} .*\n", re.MULTILINE)
        if index < len(sections):
            sections[index] = whole.sub(line.replace("\\", r"\\"), sections[index])
    return "".join([head, *sections]).replace("\n", "\r\n")


def read_parameters(text: str) -> dict[str, str]:
    """The parameters in ``a=fmtp``: names in lower case."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _fmtp(payload: str) -> re.Pattern[str]:
    return re.compile(rf"^a=fmtp:{payload} (.*)$", re.MULTILINE)
