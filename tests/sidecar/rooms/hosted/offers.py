"""Offers to check: a small valid one, and what may be done to it."""

from typing import Final

FINGERPRINT: Final = ":".join(["AB"] * 32)

_VIDEO = """m=video 9 UDP/TLS/RTP/SAVPF 96 97 102
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
a=mid:{mid}
a={direction}
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host
a=candidate:2 1 udp 2122260222 1b2c-3d4e.local 5001 typ host
a=end-of-candidates
"""
_AUDIO = """m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
a=mid:{mid}
a={direction}
a=rtcp-mux
a=rtpmap:111 opus/48000/2
"""


def offer(direction: str = "sendonly", kinds: str = "v", bundle: str | None = None) -> str:
    """An offer with a section for each letter of ``kinds``: v(ideo) or a(udio)."""
    sections = {"v": _VIDEO, "a": _AUDIO}
    mids = " ".join(str(index) for index in range(len(kinds)))
    head = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {mids if bundle is None else bundle}",
        "",
    ]
    return "\n".join(head) + "".join(
        sections[kind].format(mid=index, direction=direction, fingerprint=FINGERPRINT)
        for index, kind in enumerate(kinds)
    )
