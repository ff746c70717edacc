"""Which remote descriptions can be connected."""

import pytest

from config.errors import NegotiationError
from sidecar.media.sdp import parse_description
from sidecar.media.transports import check_transports

FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
DESCRIPTION = f"""v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:0
a=ice-ufrag:abcd
a=ice-pwd:0123456789
{FINGERPRINT}
a=setup:active
a=rtpmap:96 VP8/90000
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:1
a=ice-ufrag:abcd
a=ice-pwd:0123456789
{FINGERPRINT}
a=setup:active
a=sctp-port:5000
"""


def check(sdp: str, kind: str = "offer") -> None:
    check_transports(parse_description(sdp), kind)


def fault(sdp: str, kind: str = "offer") -> str:
    """Why ``sdp`` is refused, on one line."""
    with pytest.raises(NegotiationError) as refusal:
        check(sdp, kind)
    assert refusal.value.do
    assert "\n" not in str(refusal.value)
    return refusal.value.what


def test_a_description_with_ice_and_dtls_in_each_section_is_taken() -> None:
    check(DESCRIPTION)
    check(DESCRIPTION, "answer")


def test_the_fingerprint_and_the_role_may_be_those_of_the_session() -> None:
    sections = DESCRIPTION.replace(f"{FINGERPRINT}\n", "").replace("a=setup:active\n", "")
    session = sections.replace("t=0 0\n", f"t=0 0\n{FINGERPRINT}\na=setup:active\n")
    assert "a=setup" in fault(sections)
    check(session)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("a=ice-ufrag", "a=x", "section 1 (video) lacks a=ice-ufrag"),
        ("a=ice-pwd:0123456789", "a=ice-pwd:", "lacks a=ice-ufrag or a=ice-pwd"),
        ("a=ice-ufrag:", "a=ice-ufrag:" + "x" * 256, "of more than 256 characters"),
        ("a=setup", "a=x", "section 1 (video) lacks a=setup"),
        ("a=fingerprint", "a=x", "lacks a whole a=fingerprint"),
        ("sha-256", "md5", "lacks a whole a=fingerprint of sha-256"),
        (FINGERPRINT, FINGERPRINT[:-3], "lacks a whole a=fingerprint"),
        (FINGERPRINT, FINGERPRINT[:-1] + "x", "lacks a whole a=fingerprint"),
        ("a=sctp-port:5000", "a=x", "section 2 (application) lacks a=sctp-port"),
        ("a=sctp-port:5000", "a=sctp-port:65536", "lacks a=sctp-port"),
        ("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP x", "lacks a=sctp-port"),
        ("BUNDLE 0 1", "BUNDLE 7 0", "bundled with '7'"),
    ],
)
def test_a_description_that_cannot_be_connected_says_where_and_why(
    old: str, new: str, reason: str
) -> None:
    assert reason in fault(DESCRIPTION.replace(old, new))


def test_only_the_section_that_lacks_something_is_named() -> None:
    head, last = DESCRIPTION.rsplit(FINGERPRINT, 1)
    assert fault(head + "a=x" + last).startswith("the offer can't be answered: section 2")


def test_an_answer_must_choose_a_dtls_role() -> None:
    passive = DESCRIPTION.replace("setup:active", "setup:actpass")
    check(passive)
    assert "a=setup:active or a=setup:passive" in fault(passive, "answer")


def test_an_sctp_port_may_be_written_as_old_clients_do() -> None:
    check(DESCRIPTION.replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000"))


def test_sections_without_a_transport_need_none() -> None:
    text = "m=text 9 RTP/AVP 98\na=mid:2\n"
    check(DESCRIPTION + text)
