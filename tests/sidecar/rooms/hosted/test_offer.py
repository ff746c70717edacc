"""Which offers are taken, and what is left of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import HttpRefusalError
from sidecar.media.ice import MAX_CANDIDATES
from sidecar.rooms.hosted.offer import MAX_BODY, Role, read_offer
from tests.sidecar.rooms.hosted.offers import offer

SDP = "application/sdp"


def refusal(
    body: str | bytes, role: Role = Role.PUBLISH, content_type: str = SDP
) -> tuple[int, str]:
    """Status and reason of the refusal of ``body``."""
    with pytest.raises(HttpRefusalError) as caught:
        read_offer(body.encode() if isinstance(body, str) else body, content_type, role)
    return caught.value.status, caught.value.what


def status(body: str, role: Role) -> int:
    """What a POST of ``body`` would be answered."""
    try:
        read_offer(body.encode(), SDP, role)
    except HttpRefusalError as error:
        return error.status
    return 201


@pytest.mark.parametrize("kinds", ["v", "av", "va"])
def test_a_camera_is_taken_with_or_without_audio(kinds: str) -> None:
    taken = read_offer(offer(kinds=kinds).encode(), SDP, Role.PUBLISH)
    assert taken.sdp.count("m=") == len(kinds)


@pytest.mark.parametrize("direction", ["recvonly", "sendrecv"])
def test_a_viewer_may_offer_to_receive_or_both(direction: str) -> None:
    assert read_offer(offer(direction).encode(), SDP, Role.WATCH).sdp


def test_parameters_of_the_content_type_do_not_matter() -> None:
    assert read_offer(offer().encode(), "Application/SDP; charset=utf-8", Role.PUBLISH).sdp


def test_mdns_candidates_and_the_end_of_candidates_are_dropped() -> None:
    sdp = read_offer(offer().encode(), SDP, Role.PUBLISH).sdp
    assert "192.0.2.1" in sdp
    assert ".local" not in sdp
    assert "end-of-candidates" not in sdp


def test_a_viewer_is_left_with_vp8_and_its_retransmission() -> None:
    sdp = read_offer(offer("recvonly", "av").encode(), SDP, Role.WATCH).sdp
    assert "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" in sdp
    assert "H264" not in sdp
    assert ":102" not in sdp
    assert "a=rtpmap:111 opus/48000/2\r\n" in sdp


def test_a_publisher_keeps_every_codec() -> None:
    assert "a=rtpmap:102 H264/90000\r\n" in read_offer(offer().encode(), SDP, Role.PUBLISH).sdp


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain"])
def test_another_content_type_is_415(content_type: str) -> None:
    assert refusal(offer(), content_type=content_type)[0] == 415


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "v=0"),
        ("hello", "v=0"),
        (b"v=0\n\xff", "UTF-8"),
        ("v=0\n", "not an SDP offer"),
        ("v=0\nm=video 9 UDP/TLS/RTP/SAVPF 300\n", "not an SDP offer"),
        (offer().replace("a=rtcp-mux\n", ""), "rtcp-mux"),
        (offer().replace("a=ice-pwd", "a=x"), "ice-pwd"),
        (offer().replace("a=fingerprint", "a=x"), "fingerprint"),
        (offer().replace("a=setup", "a=x"), "setup"),
        (offer().replace("a=mid:0\n", ""), "a=mid"),
        (offer(kinds="va", bundle="0"), "BUNDLE"),
        (offer() + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\n", "sections only"),
        ("v=0\n" + "a=x\n" * 2000, "lines"),
        ("v=0\na=" + "x" * 2000, "characters"),
        (
            offer()
            + "".join(
                f"a=candidate:1 1 udp 1 192.0.2.2 {port} typ host\n"
                for port in range(1, MAX_CANDIDATES + 2)
            ),
            "at most 32 candidates",
        ),
    ],
)
def test_what_is_no_offer_is_400_and_says_why(body: str | bytes, reason: str) -> None:
    status, what = refusal(body)
    assert status == 400
    assert reason in what


@pytest.mark.parametrize(
    ("body", "role", "reason"),
    [
        (offer("recvonly"), Role.PUBLISH, "sendonly or sendrecv"),
        (offer("sendonly"), Role.WATCH, "recvonly or sendrecv"),
        (offer("inactive"), Role.WATCH, "not inactive"),
        (offer(kinds="vv"), Role.PUBLISH, "one video"),
        (offer(kinds="a"), Role.PUBLISH, "one video"),
        (offer("recvonly").replace("VP8", "AV1"), Role.WATCH, "VP8"),
        (offer().replace("VP8", "AV1").replace("H264", "VP9"), Role.PUBLISH, "H264 or VP8"),
        (offer().replace("VP8", "AV1").replace("H264", "VP9"), Role.PUBLISH, "offers AV1, VP9"),
        (offer().replace("VP8", "AV1").replace("42e01f", "6e001f"), Role.PUBLISH, "6e001f"),
        (offer().replace("VP8", "H265").replace("mode=1", "mode=2"), Role.PUBLISH, "mode 2"),
        (offer().replace("VP8", "\x1b[2J\u202e").replace("H264", "H265"), Role.PUBLISH, "[2J"),
    ],
)
def test_an_offer_of_something_else_is_422_and_says_what(
    body: str, role: Role, reason: str
) -> None:
    status, what = refusal(body, role)
    assert status == 422
    assert reason in what


def test_a_body_over_the_limit_is_413() -> None:
    assert refusal("v=0\n" + "x" * MAX_BODY)[0] == 413


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_or_taken_but_never_break_it(body: bytes) -> None:
    assert refusal(body)[0] in {400, 422}


@given(st.data(), st.sampled_from(Role))
def test_a_damaged_offer_is_refused_or_taken_but_never_breaks_it(
    data: st.DataObject, role: Role
) -> None:
    lines = offer("sendrecv", "av").splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(
        st.text(max_size=40) | st.just(lines[at][: data.draw(st.integers(0, 30))])
    )
    assert status("\n".join(lines), role) in {201, 400, 422}
