"""Session descriptions: read, and edited into what aiortc takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.sdp import (
    VideoSection,
    candidate_types,
    continues,
    deactivate_unknown_codecs,
    keep_video_codecs,
    parse_description,
    sent_video,
    video_codecs,
    video_sections,
)

HEAD = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
TRANSPORT = ["a=ice-ufrag:abcd", "a=ice-pwd:0123456789", "a=setup:actpass", "a=rtcp-mux"]
VP8 = {96: "VP8/90000", 97: "rtx/90000"}


def video(
    mid: str,
    codecs: dict[int, str] | None = None,
    *,
    ssrc: int = 11,
    direction: str = "sendonly",
    ufrag: str = "abcd",
) -> list[str]:
    """A video section of an offer."""
    codecs = codecs or VP8
    return [
        f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, codecs))}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        *(line.replace("abcd", ufrag) for line in TRANSPORT),
        f"a={direction}",
        *(f"a=rtpmap:{number} {codec}" for number, codec in codecs.items()),
        *(f"a=rtcp-fb:{number} nack pli" for number in codecs if "rtx" not in codecs[number]),
        *(f"a=fmtp:{n} apt={n - 1}" for n, codec in codecs.items() if "rtx" in codec),
        f"a=msid:stream TR_{mid}",
        f"a=ssrc:{ssrc} cname:x",
        f"a=ssrc:{ssrc + 1} cname:x",
    ]


AUDIO = [
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "c=IN IP4 0.0.0.0",
    "a=mid:a",
    *TRANSPORT,
    "a=sendrecv",
    "a=rtpmap:111 opus/48000/2",
]


def sdp(*sections: list[str]) -> str:
    return "\r\n".join([*HEAD, *(line for section in sections for line in section), ""])


def test_what_is_not_a_description_is_a_value_error() -> None:
    for text in ("", "v=0", "m=video", "\0"):
        with pytest.raises(ValueError, match="session description"):
            video_sections(text)
    with pytest.raises(ValueError, match="session description"):
        parse_description("m=video x\r\na=rtpmap:1")


def test_a_description_without_end_is_refused() -> None:
    for read in (parse_description, video_sections, deactivate_unknown_codecs):
        with pytest.raises(ValueError, match="characters"):
            read(sdp(video("0")) + "a=x\r\n" * 300_000)


def test_only_sections_that_are_sent_are_sent_video() -> None:
    closed = ["m=video 0 UDP/TLS/RTP/SAVPF 96", *video("2")[1:]]
    offer = sdp(video("0", direction="inactive"), AUDIO, video("1"), closed)
    assert [media.rtp.muxId for media in sent_video(parse_description(offer))] == ["1"]


def test_a_section_without_a_direction_is_sent() -> None:
    section = [line for line in video("0") if line != "a=sendonly"]
    assert len(sent_video(parse_description(sdp(section)))) == 1


def test_codecs_are_named_without_auxiliary_formats() -> None:
    codecs = {96: "vp8/90000", 97: "rtx/90000", 98: "AV1/90000", 99: "ulpfec/90000"}
    (media,) = parse_description(sdp(video("0", codecs))).media
    assert video_codecs(media) == {"VP8", "AV1"}


def test_a_section_more_continues_an_offer() -> None:
    before = parse_description(sdp(video("0")))
    after = parse_description(sdp(video("0", direction="inactive"), video("1", ssrc=21)))
    assert continues(after, before)
    assert not continues(before, after)


def test_another_stream_or_an_ice_restart_does_not_continue_an_offer() -> None:
    before = parse_description(sdp(video("0")))
    for after in (video("0", ssrc=21), video("0", ufrag="other")):
        assert not continues(parse_description(sdp(after)), before)


def test_video_sections_have_their_tracks_and_streams() -> None:
    offer = sdp(AUDIO, video("0"), video("1", direction="inactive"), video("2", {96: "AV1/90000"}))
    assert video_sections(offer) == (
        VideoSection("0", "TR_0", (11, 12)),
        VideoSection("1", "", ()),
        VideoSection("2", "", ()),
    )


def test_a_section_in_unknown_codecs_becomes_inactive_and_keeps_its_place() -> None:
    offer = deactivate_unknown_codecs(sdp(video("0"), video("1", {98: "VP9/90000"})))
    known, unknown = parse_description(offer).media
    assert (known.direction, known.rtp.muxId) == ("sendonly", "0")
    assert (unknown.direction, unknown.rtp.muxId) == ("inactive", "1")
    assert video_codecs(unknown) == {"VP8"}


def test_an_offer_of_known_codecs_stays_as_it_is() -> None:
    offer = sdp(AUDIO, video("0"), ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel"])
    assert deactivate_unknown_codecs(offer) == offer


def test_codecs_that_are_not_kept_go_with_their_retransmission() -> None:
    codecs = {96: "H264/90000", 97: "rtx/90000", 98: "VP8/90000", 99: "rtx/90000"}
    offer = keep_video_codecs(sdp(AUDIO, video("0", codecs)), {"VP8"})
    audio, media = parse_description(offer).media
    assert [codec.payloadType for codec in media.rtp.codecs] == [98, 99]
    assert media.fmt == [98, 99]
    assert [codec.name for codec in audio.rtp.codecs] == ["opus"]
    assert ":96 " not in offer


def test_a_section_of_no_codec_to_keep_stays_as_it_is() -> None:
    offer = sdp(video("0", {98: "VP9/90000"}))
    assert keep_video_codecs(offer, {"VP8"}) == offer


def test_candidates_are_counted_by_type_and_transport() -> None:
    lines = [
        "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host",
        "a=candidate:2 1 udp 1 192.0.2.2 1 typ host",
        "a=candidate:3 1 tcp 1 192.0.2.3 1 typ relay raddr 0.0.0.0 rport 0",
    ]
    assert candidate_types(sdp([*video("0"), *lines])) == {"host udp": 2, "relay tcp": 1}


@given(st.data())
def test_damaged_descriptions_are_read_or_refused(data: st.DataObject) -> None:
    lines = sdp(AUDIO, video("0"), video("1", {98: "VP9/90000"})).splitlines()
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place] = data.draw(st.text(max_size=40) | st.sampled_from(lines))
    text = "\r\n".join(lines)
    try:
        sections = video_sections(deactivate_unknown_codecs(keep_video_codecs(text, {"VP8"})))
        description = parse_description(text)
    except ValueError:
        return
    assert all(section.mid for section in sections)
    assert continues(description, description)
