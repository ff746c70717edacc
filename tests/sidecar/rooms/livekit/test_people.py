from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import (
    Encryption,
    ParticipantInfo,
    SimulcastCodecInfo,
    TrackInfo,
    TrackSource,
    TrackType,
)

from sidecar.rooms.base import Consent
from sidecar.rooms.livekit.people import COMPOSITE, Camera, Person, Roster, read_person

VIDEO: Any = {"type": TrackType.VIDEO, "source": TrackSource.CAMERA}


def person(identity: str = "ada", sid: str = "PA_1", version: int = 0, **fields: Any) -> Person:
    known = {"name": identity, "camera": None, "consent": None, "present": True, **fields}
    return Person(sid=sid, identity=identity, version=version, **known)


def camera_among(*tracks: TrackInfo) -> Camera | None:
    return read_person(ParticipantInfo(identity="ada", tracks=tracks)).camera


def test_a_name_that_is_missing_is_the_identity() -> None:
    assert read_person(ParticipantInfo(identity="ada")).name == "ada"
    assert read_person(ParticipantInfo(identity="ada", name="Ada")).name == "Ada"


def test_a_name_of_any_length_is_cut() -> None:
    assert len(read_person(ParticipantInfo(identity="a" * 5000)).name) == 256


def test_a_camera_is_found_among_other_tracks() -> None:
    voice = TrackInfo(sid="TR_a", type=TrackType.AUDIO, source=TrackSource.MICROPHONE)
    screen = TrackInfo(sid="TR_s", type=TrackType.VIDEO, source=TrackSource.SCREEN_SHARE)
    assert camera_among(voice, screen) is None
    assert camera_among(voice, screen, TrackInfo(sid="TR_c", **VIDEO)) == Camera("TR_c")


def test_a_track_that_says_nothing_of_its_source_is_a_camera_if_there_is_no_other() -> None:
    nameless = TrackInfo(sid="TR_n", type=TrackType.VIDEO)
    assert camera_among(nameless) == Camera("TR_n")
    assert camera_among(nameless, TrackInfo(sid="TR_c", **VIDEO)) == Camera("TR_c")


def test_a_camera_that_is_on_goes_before_one_that_is_off() -> None:
    off = TrackInfo(sid="TR_off", muted=True, **VIDEO)
    assert camera_among(off, TrackInfo(sid="TR_on", **VIDEO)) == Camera("TR_on")
    assert camera_among(off) == Camera("TR_off", muted=True)


def test_a_sidecar_has_no_camera_whatever_it_publishes() -> None:
    composite = TrackInfo(sid="TR_1", name=COMPOSITE, **VIDEO)
    assert camera_among(composite, TrackInfo(sid="TR_2", **VIDEO)) is None


@pytest.mark.parametrize("mime", ["video/VP8", "video/h264", ""])
def test_what_can_be_decoded_is_no_problem(mime: str) -> None:
    camera = camera_among(TrackInfo(sid="TR_c", mime_type=mime, **VIDEO))
    assert camera == Camera("TR_c")


@pytest.mark.parametrize("mime", ["video/VP9", "video/AV1", "video/H265"])
def test_what_cannot_be_decoded_is_a_problem_that_names_the_codec(mime: str) -> None:
    camera = camera_among(TrackInfo(sid="TR_c", mime_type=mime, **VIDEO))
    assert camera is not None
    assert mime.removeprefix("video/") in camera.problem


def test_a_backup_codec_solves_the_problem() -> None:
    codecs = [SimulcastCodecInfo(mime_type="video/VP9"), SimulcastCodecInfo(mime_type="video/VP8")]
    camera = camera_among(TrackInfo(sid="TR_c", mime_type="video/VP9", codecs=codecs, **VIDEO))
    assert camera == Camera("TR_c")


def test_encryption_from_end_to_end_is_a_problem() -> None:
    camera = camera_among(TrackInfo(sid="TR_c", encryption=Encryption.GCM, **VIDEO))
    assert camera is not None
    assert "encrypts" in camera.problem


@pytest.mark.parametrize(
    ("attributes", "metadata", "consent"),
    [
        ({}, "", None),
        ({"reactions": "off"}, "", Consent.OPT_OUT),
        ({"reactions": "on"}, "", Consent.OPT_IN),
        ({"reactions": "perhaps"}, "", None),
        ({"reactions": "on"}, '{"reactions": "off"}', Consent.OPT_IN),
        ({}, '{"reactions": "off"}', Consent.OPT_OUT),
        ({}, '{"reactions": false}', Consent.OPT_OUT),
        ({}, '{"reactions": "on", "other": [1]}', Consent.OPT_IN),
        ({}, "reactions=off", Consent.OPT_OUT),
        ({}, "reactions = on", Consent.OPT_IN),
        ({}, "colour=off", None),
        ({}, "[1, 2]", None),
        ({}, "{" * 10, None),
        ({}, "[" * 100_000, None),
    ],
)
def test_a_choice_is_read_from_attributes_and_metadata(
    attributes: dict[str, str], metadata: str, consent: Consent | None
) -> None:
    info = ParticipantInfo(identity="ada", attributes=attributes, metadata=metadata)
    assert read_person(info).consent is consent


@given(st.text())
def test_any_metadata_is_a_choice_or_none(metadata: str) -> None:
    info = ParticipantInfo(identity="ada")
    info.metadata = metadata.encode(errors="replace").decode()
    assert read_person(info).consent in (None, *Consent)


def test_old_news_of_a_stay_is_ignored() -> None:
    roster = Roster()
    roster.update([person(version=3, name="new"), person(version=2, name="old")])
    assert [someone.name for someone in roster] == ["new"]


def test_the_end_of_an_earlier_stay_ends_no_later_one() -> None:
    roster = Roster()
    roster.update([person(sid="PA_2"), person(sid="PA_1", present=False)])
    assert [someone.sid for someone in roster] == ["PA_2"]
    roster.update([person(sid="PA_2", present=False)])
    assert list(roster) == []


def test_a_room_without_end_is_cut() -> None:
    roster = Roster()
    roster.update(person(identity=str(number)) for number in range(2000))
    assert len(list(roster)) == 1000
    roster.update([person(identity="0", version=1, name="known")])
    found = roster.find("0")
    assert found is not None
    assert found.name == "known"
