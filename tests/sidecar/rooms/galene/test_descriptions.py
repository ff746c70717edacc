"""What offers say about cameras."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.galene.descriptions import (
    UnfitError,
    camera_section,
    follows,
    read_offer,
    undecodable,
)

RECORDED = [
    message["message"]["sdp"]
    for message in map(
        json.loads, Path(__file__).with_name("visit.jsonl").read_text("utf-8").splitlines()
    )
    if message["from"] == "server" and message["message"]["type"] == "offer"
]
OFFER = RECORDED[0]
HEAD, SECTION = OFFER[: OFFER.index("m=")], OFFER[OFFER.index("m=") :]
NEXT_LAYER = (
    HEAD
    + SECTION.replace("a=sendonly", "a=inactive")
    + SECTION.replace("a=mid:0", "a=mid:1").replace("a=ssrc:", "a=ssrc:1")
)


@pytest.mark.parametrize("sdp", RECORDED)
def test_a_recorded_offer_can_be_decoded(sdp: str) -> None:
    assert undecodable(read_offer(sdp)) == ""


@pytest.mark.parametrize("codec", ["VP9", "AV1"])
def test_a_codec_that_cannot_be_decoded_is_named_with_what_to_set(codec: str) -> None:
    problem = undecodable(read_offer(OFFER.replace("VP8/90000", f"{codec}/90000")))
    assert codec in problem
    assert '"codecs"' in problem


def test_an_offer_of_voice_alone_has_no_picture() -> None:
    audio = HEAD + SECTION.replace("m=video", "m=audio").replace("VP8/90000", "opus/48000/2")
    assert camera_section(read_offer(audio)) is None
    assert "no picture" in undecodable(read_offer(audio))


def test_the_last_open_section_brings_the_picture() -> None:
    section = camera_section(read_offer(NEXT_LAYER))
    assert section is not None
    assert section.rtp.muxId == "1"


def test_a_new_layer_is_followed_by_the_same_connection() -> None:
    assert follows(read_offer(NEXT_LAYER), read_offer(OFFER))


@pytest.mark.parametrize(
    ("old", "new"),
    [("a=ice-ufrag:", "a=ice-ufrag:Other"), ("a=ssrc:", "a=ssrc:7"), ("SHA-256 ", "SHA-256 00:")],
)
def test_one_that_begins_anew_is_not(old: str, new: str) -> None:
    offer = OFFER.replace("a=fingerprint:sha-256", "a=fingerprint:SHA-256")
    assert old in offer
    assert not follows(read_offer(offer.replace(old, new)), read_offer(offer))


def test_fewer_sections_than_before_are_not_followed() -> None:
    assert not follows(read_offer(OFFER), read_offer(NEXT_LAYER))


@given(st.text() | st.text().map(lambda text: OFFER.replace("96", text)))
def test_whatever_comes_is_an_offer_or_unfit(sdp: str) -> None:
    try:
        offer = read_offer(sdp)
    except UnfitError:
        return
    undecodable(offer)
    follows(offer, offer)
