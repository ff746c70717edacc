"""Whether a remote description names a usable transport for each of its sections. Pure.

aiortc reads ICE and DTLS parameters when it connects, in a task that no one awaits: an offer that
lacks them would be answered, and nothing would ever come of it. So they are checked before.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from config.errors import NegotiationError
from sidecar.media.ice import MAX_UFRAG
from sidecar.media.sdp import ParsedDescription, ParsedMedia
from sidecar.plain_text import clean_text

DIGESTS: Final[Mapping[str, int]] = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Bytes of the fingerprints that aiortc compares, by the hash's name in RFC 8122 §5."""
_KINDS: Final = ("audio", "video", "application")
"""The sections for which aiortc makes a transport."""
_PAIRS: Final = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2})*", re.IGNORECASE)


def check_transports(description: ParsedDescription, kind: str) -> None:
    """Raise NegotiationError where a section of ``description`` can't be connected.

    ``kind`` is ``offer`` or ``answer``. Each section needs ICE credentials (RFC 8839 §5.4), a DTLS
    role (RFC 8842 §5) and the fingerprint of a certificate (RFC 8122 §5), its own or those of the
    session. Data needs an SCTP port (RFC 8841 §5). The first section of a bundle, whose transport
    is that of the others, must be there (RFC 9143 §7.2).
    """
    for number, media in enumerate(description.media, 1):
        if media.kind in _KINDS and (fault := transport_fault(media, kind)):
            raise _refusal(kind, f"section {number} ({media.kind}) {fault}")
    mids = {media.rtp.muxId for media in description.media if media.kind in _KINDS}
    for first, others in _bundles(description):
        if first not in mids and not mids.isdisjoint(others):
            name = clean_text(first, 40)
            raise _refusal(kind, f"its sections are bundled with '{name}', which is none of them")


def transport_fault(media: ParsedMedia, kind: str) -> str:
    """What is wrong with ``media``, of an ``offer`` or an ``answer``; empty where nothing is."""
    if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
        return "lacks a=ice-ufrag or a=ice-pwd"
    if max(len(media.ice.usernameFragment), len(media.ice.password)) > MAX_UFRAG:
        return f"has an a=ice-ufrag or a=ice-pwd of more than {MAX_UFRAG} characters"
    if media.dtls is None:
        return "lacks a=setup"
    if kind == "answer" and media.dtls.role not in ("client", "server"):
        return "lacks a=setup:active or a=setup:passive"
    if not any(_is_usable(one.algorithm, one.value) for one in media.dtls.fingerprints):
        return f"lacks a whole a=fingerprint of {', '.join(DIGESTS)}"
    if media.kind == "application" and not 0 < _sctp_port(media) <= 0xFFFF:
        return "lacks a=sctp-port, 1 to 65535"
    return ""


def _sctp_port(media: ParsedMedia) -> int:
    if media.profile != "DTLS/SCTP":
        return media.sctp_port or 0
    # As it was before RFC 8841, and as old clients write it: in place of the format.
    port = str(media.fmt[0])
    return int(port) if port.isascii() and port.isdecimal() else 0


def _is_usable(algorithm: str, value: str) -> bool:
    size = DIGESTS.get(algorithm.lower())
    return size is not None and len(value) == 3 * size - 1 and bool(_PAIRS.fullmatch(value))


def _bundles(description: ParsedDescription) -> Iterator[tuple[str, list[str]]]:
    """The first section of each bundle, and the others."""
    for group in description.group:
        if group.semantic == "BUNDLE" and group.items:
            first, *others = map(str, group.items)
            yield first, others


def _refusal(kind: str, fault: str) -> NegotiationError:
    what = f"the {kind} can't be {'answered' if kind == 'offer' else 'used'}: {fault}"
    do = f"have the other side send an {kind} with ICE and DTLS parameters for each section"
    return NegotiationError(what, do=do)
