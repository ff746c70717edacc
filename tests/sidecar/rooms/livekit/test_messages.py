"""LiveKit's messages: participants, leave messages and candidates."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from sidecar.rooms.base import Consent
from sidecar.rooms.events import Ended, Refused
from sidecar.rooms.livekit.messages import (
    COMPOSITE,
    REASONS,
    CameraTrack,
    read_candidate,
    read_leave,
    read_participant,
    read_regions,
)


def candidate(text: str, **fields: object) -> str:
    return json.dumps({"candidate": f"candidate:{text}", "sdpMLineIndex": 0, **fields})


@pytest.mark.parametrize(
    "init",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"candidate": ""}',
        '{"candidate": 7}',
        candidate("nonsense"),
        candidate("1 1 udp 1 192.0.2.1 port typ host"),
        candidate("1 1 tcp 1 192.0.2.1 5000 typ host tcptype passive"),
        candidate("1 1 udp 1 0f2c5f7e.local 5000 typ host"),
        candidate("1 1 udp 1 192.0.2.1 5000 typ host" + " " * 2000),
    ],
)
def test_candidates_that_are_of_no_use_are_passed_over(init: str) -> None:
    assert read_candidate(init) is None


def test_a_candidate_that_names_no_section_is_the_first_ones() -> None:
    found = read_candidate('{"candidate": "candidate:1 1 udp 1 192.0.2.1 5000 typ host"}')
    assert found is not None
    assert found.sdpMLineIndex == 0


@given(st.text(max_size=300))
def test_any_text_is_a_candidate_or_none(text: str) -> None:
    read_candidate(text)
    read_candidate(candidate(text))


VIDEO: Any = {"type": models.TrackType.VIDEO, "source": models.TrackSource.CAMERA}


def camera_among(*tracks: models.TrackInfo) -> CameraTrack | None:
    return read_participant(models.ParticipantInfo(identity="ada", tracks=tracks)).camera


def test_a_name_that_is_missing_is_the_identity() -> None:
    assert read_participant(models.ParticipantInfo(identity="ada")).name == "ada"
    assert read_participant(models.ParticipantInfo(identity="ada", name="Ada")).name == "Ada"


def test_a_name_of_any_length_is_cut() -> None:
    assert len(read_participant(models.ParticipantInfo(identity="a" * 5000)).name) == 256


def test_a_camera_is_found_among_other_tracks() -> None:
    voice = models.TrackInfo(
        sid="TR_a", type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE
    )
    screen = models.TrackInfo(
        sid="TR_s", type=models.TrackType.VIDEO, source=models.TrackSource.SCREEN_SHARE
    )
    assert camera_among(voice, screen) is None
    assert camera_among(voice, screen, models.TrackInfo(sid="TR_c", **VIDEO)) == CameraTrack("TR_c")


def test_a_track_that_says_nothing_of_its_source_is_a_camera_if_there_is_no_other() -> None:
    nameless = models.TrackInfo(sid="TR_n", type=models.TrackType.VIDEO)
    assert camera_among(nameless) == CameraTrack("TR_n")
    assert camera_among(nameless, models.TrackInfo(sid="TR_c", **VIDEO)) == CameraTrack("TR_c")


def test_a_camera_that_is_on_goes_before_one_that_is_off() -> None:
    off = models.TrackInfo(sid="TR_off", muted=True, **VIDEO)
    assert camera_among(off, models.TrackInfo(sid="TR_on", **VIDEO)) == CameraTrack("TR_on")
    assert camera_among(off) == CameraTrack("TR_off", muted=True)


def test_a_sidecar_has_no_camera() -> None:
    composite = models.TrackInfo(sid="TR_1", name=COMPOSITE, **VIDEO)
    assert camera_among(composite, models.TrackInfo(sid="TR_2", **VIDEO)) is None


@pytest.mark.parametrize("mime", ["video/VP8", "video/h264", ""])
def test_what_can_be_decoded_is_no_problem(mime: str) -> None:
    camera = camera_among(models.TrackInfo(sid="TR_c", mime_type=mime, **VIDEO))
    assert camera == CameraTrack("TR_c")


@pytest.mark.parametrize("mime", ["video/VP9", "video/AV1", "video/H265"])
def test_what_cannot_be_decoded_is_a_problem_that_names_the_codec(mime: str) -> None:
    camera = camera_among(models.TrackInfo(sid="TR_c", mime_type=mime, **VIDEO))
    assert camera is not None
    assert mime.removeprefix("video/") in camera.problem


def test_a_backup_codec_solves_the_problem() -> None:
    codecs = [
        models.SimulcastCodecInfo(mime_type="video/VP9"),
        models.SimulcastCodecInfo(mime_type="video/VP8"),
    ]
    camera = camera_among(
        models.TrackInfo(sid="TR_c", mime_type="video/VP9", codecs=codecs, **VIDEO)
    )
    assert camera == CameraTrack("TR_c")


def test_encryption_from_end_to_end_is_a_problem() -> None:
    camera = camera_among(models.TrackInfo(sid="TR_c", encryption=models.Encryption.GCM, **VIDEO))
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
    info = models.ParticipantInfo(identity="ada", attributes=attributes, metadata=metadata)
    assert read_participant(info).consent is consent


@given(st.text())
def test_any_metadata_is_a_choice_or_none(metadata: str) -> None:
    info = models.ParticipantInfo(identity="ada")
    info.metadata = metadata.encode(errors="replace").decode()
    assert read_participant(info).consent in (None, *Consent)


FOR_GOOD = {"DUPLICATE_IDENTITY", "PARTICIPANT_REMOVED", "ROOM_DELETED", "USER_REJECTED"}


def is_lost(end: Refused | Ended) -> bool:
    """Whether coming back may help."""
    return isinstance(end, Refused) and not end.final


def test_every_reason_of_the_protocol_is_known() -> None:
    assert set(REASONS) == set(models.DisconnectReason.values())
    assert all(end.reason if isinstance(end, Ended) else end.what for end in REASONS.values())


@pytest.mark.parametrize("name", models.DisconnectReason.keys())
def test_only_what_cannot_be_helped_is_for_good(name: str) -> None:
    end = read_leave(rtc.LeaveRequest(reason=name))
    assert (isinstance(end, Refused) and end.final) is (name in FOR_GOOD)
    assert isinstance(end, Ended) is (name == "ROOM_CLOSED")


@pytest.mark.parametrize("action", [rtc.LeaveRequest.RECONNECT, rtc.LeaveRequest.RESUME])
def test_a_server_that_wants_us_back_gets_us_back(action: rtc.LeaveRequest.Action) -> None:
    leave = rtc.LeaveRequest(reason=models.DisconnectReason.DUPLICATE_IDENTITY, action=action)
    assert is_lost(read_leave(leave))


def test_an_old_server_that_wants_us_back_says_it_in_its_way() -> None:
    leave = rtc.LeaveRequest(reason=models.DisconnectReason.ROOM_CLOSED, can_reconnect=True)
    assert is_lost(read_leave(leave))


def test_a_reason_that_is_newer_than_this_is_a_loss() -> None:
    newer = rtc.LeaveRequest.FromString(b"\x10\xe7\x07")
    assert newer.reason == 999
    assert is_lost(read_leave(newer))


def test_regions_keep_their_order_and_are_limited() -> None:
    regions = [rtc.RegionInfo(url=f"wss://{number}.example") for number in range(20)]
    leave = rtc.LeaveRequest(
        action=rtc.LeaveRequest.RECONNECT,
        regions=rtc.RegionSettings(regions=[rtc.RegionInfo(), *regions]),
    )
    servers = read_regions(leave)
    assert servers[0] == "wss://0.example"
    assert len(servers) < 10
