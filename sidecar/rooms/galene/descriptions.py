"""What an SDP offer of the server's says about a camera. Pure."""

from typing import Final

from aiortc.sdp import MediaDescription, SessionDescription

DECODABLE: Final = frozenset({"VP8", "H264"})
_AUXILIARY: Final = frozenset({"RTX", "RED", "ULPFEC", "FLEXFEC-03"})


class UnfitError(Exception):
    """An offer that an existing connection can't follow, or that no connection can take."""


def read_offer(sdp: str) -> SessionDescription:
    """The offer; raises UnfitError where it can't be one."""
    try:
        return SessionDescription.parse(sdp)
    except Exception as error:
        # The parser meets bad text with whatever happens to break: ValueError, AttributeError, …
        raise UnfitError("their offer can't be read") from error


def camera_section(offer: SessionDescription) -> MediaDescription | None:
    """The section that brings the picture now: a change of layer adds one and closes the old."""
    sections = [
        media
        for media in offer.media
        if media.kind == "video" and media.port and media.direction in ("sendonly", "sendrecv")
    ]
    return sections[-1] if sections else None


def undecodable(offer: SessionDescription) -> str:
    """Why the picture can't be decoded here, for people; empty where it can."""
    section = camera_section(offer)
    if section is None:
        return "they send no picture"
    codecs = {codec.name.upper() for codec in section.rtp.codecs} - _AUXILIARY
    if codecs & DECODABLE:
        return ""
    return (
        f"they send {' and '.join(sorted(codecs)) or 'no codec that is known'}, which can't be"
        ' decoded here: set "codecs": ["vp8", "opus"] in the group\'s file'
    )


def follows(offer: SessionDescription, before: SessionDescription) -> bool:
    """Whether the connection that took ``before`` can take ``offer``.

    It can't where ICE or DTLS begin anew, or a known section brings another stream: aiortc restarts
    neither, and its router would never learn the new SSRC.
    """
    return len(offer.media) >= len(before.media) and all(
        _transport(new) == _transport(old) and (not new.ssrc or not old.ssrc or _same(new, old))
        for new, old in zip(offer.media, before.media, strict=False)
    )


def _same(new: MediaDescription, old: MediaDescription) -> bool:
    return {item.ssrc for item in new.ssrc} == {item.ssrc for item in old.ssrc}


def _transport(media: MediaDescription) -> tuple[object, ...]:
    fingerprints = media.dtls.fingerprints if media.dtls else ()
    names = (fingerprint.value for fingerprint in fingerprints)
    return (media.ice.usernameFragment if media.ice else None, *names)
