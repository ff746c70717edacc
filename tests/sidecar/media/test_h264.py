"""H.264 profiles and packetization modes in offers, and what the answer says of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import NegotiationError
from sidecar.media.h264 import h264_problem, read_parameters, replace_h264_formats
from sidecar.media.peer import PeerOptions
from sidecar.media.receive_peer import ReceivePeer

FINGERPRINT = ":".join(["AB"] * 32)
OFFER = f"""v=0
o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1
s=FFmpegPublishSession
t=0 0
a=group:BUNDLE 1
a=extmap-allow-mixed
m=video 9 UDP/TLS/RTP/SAVPF 106 105
c=IN IP4 0.0.0.0
a=ice-ufrag:03c24f99
a=ice-pwd:66f064446f3f7bdfd96266542aa4c9f1
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:passive
a=mid:1
a=sendonly
a=rtcp-mux
a=rtpmap:106 H264/90000
FMTP
a=rtcp-fb:106 nack
a=rtpmap:105 rtx/90000
a=fmtp:105 apt=106
a=ssrc:2762786912 cname:FFmpeg
"""
"""What FFmpeg's WHIP muxer sends."""


def offer(fmtp: str = "", direction: str = "a=sendonly\n") -> str:
    return OFFER.replace("FMTP\n", fmtp and f"a=fmtp:106 {fmtp}\n").replace(
        "a=sendonly\n", direction
    )


def parameters(mode: str, profile: str) -> str:
    return f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"


async def answer(sdp: str) -> str:
    async with ReceivePeer(PeerOptions("p")) as peer:
        return await peer.answer(sdp)


@pytest.mark.parametrize("mode", ["0", "1"])
@pytest.mark.parametrize(
    "profile", ["42001f", "42e01f", "42E034", "4d0028", "4d401f", "640016", "64001f", "640c1f"]
)
async def test_profiles_that_the_decoder_reads_are_answered_as_offered(
    mode: str, profile: str
) -> None:
    offered = parameters(mode, profile)
    answered = await answer(offer(offered))
    assert f"a=fmtp:106 {offered}\r\n" in answered
    assert re.search(r"^m=video [1-9]\d* UDP/TLS/RTP/SAVPF 106 105\r$", answered, re.MULTILINE)
    assert "a=recvonly" in answered


async def test_an_offer_without_parameters_is_answered_without() -> None:
    answered = await answer(offer())
    assert "a=rtpmap:106 H264/90000" in answered
    assert "a=fmtp:106" not in answered


@pytest.mark.parametrize("direction", ["", "a=sendrecv\n"])
async def test_a_section_without_a_direction_is_sendrecv(direction: str) -> None:
    assert "a=recvonly" in await answer(offer(parameters("1", "42e01f"), direction))


async def test_the_direction_of_the_session_holds_for_its_sections() -> None:
    sdp = offer(parameters("1", "42e01f"), "").replace("t=0 0\n", "t=0 0\na=recvonly\n")
    # The other side only receives: there is no camera to attach, and nothing is sent to it.
    assert "a=inactive" in await answer(sdp)


@pytest.mark.parametrize(
    ("mode", "profile"), [("2", "42e01f"), ("1", "6e001f"), ("1", "f4001f"), ("1", "xyz")]
)
async def test_other_forms_are_refused(mode: str, profile: str) -> None:
    assert h264_problem(read_parameters(parameters(mode, profile)))
    with pytest.raises(NegotiationError):
        await answer(offer(parameters(mode, profile)))


@given(st.text(max_size=80))
def test_any_parameters_are_read(text: str) -> None:
    assert isinstance(h264_problem(read_parameters(text)), str)


@given(st.text(alphabet="a=fmtp:1069 0;\\g<1>h264/\n", max_size=60))
def test_the_rest_of_the_description_is_kept(text: str) -> None:
    sdp, offered = replace_h264_formats(offer(f"profile-level-id=64001f;x={text!r}"))
    kept = [line for line in sdp.splitlines() if not line.startswith("a=fmtp:106")]
    assert kept == offer().splitlines()
    assert list(offered) == [(0, "106")]
