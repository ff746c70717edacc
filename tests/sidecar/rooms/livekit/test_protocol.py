"""The state machine of a participant's signalling, with recorded and with damaged messages."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from config.sensitivity import Sensitivity
from sidecar.rooms.base import Consent, ConsentChanged, ReceiverConstraints, SensitivityChosen
from sidecar.rooms.events import (
    Answered,
    CandidateReceived,
    Ended,
    Entered,
    Offered,
    ParticipantsChanged,
    PublishRefused,
    Redirected,
    Refused,
    Unwatchable,
)
from sidecar.rooms.livekit.messages import CameraTrack, RemoteParticipant
from sidecar.rooms.livekit.protocol import (
    PUBLISHER,
    SUBSCRIBER,
    ConnectionPhase,
    LiveKitEvent,
    LiveKitProtocol,
    PingAnswered,
    RegionsNamed,
    RemoteParticipants,
    TokenRenewed,
    TrackPublished,
)
from tests.sidecar.rooms.livekit.record import transcript

WATCHER, PUBLICATION = transcript("watcher"), transcript("publisher")
JOIN = WATCHER[0]


def replay(messages: list[bytes], protocol: LiveKitProtocol | None = None) -> list[LiveKitEvent]:
    protocol = protocol or LiveKitProtocol()
    return [event for message in messages for event in protocol.receive(message)]


def entered(*, watches: bool = True) -> LiveKitProtocol:
    protocol = LiveKitProtocol(watches=watches)
    protocol.receive(JOIN)
    protocol.take()
    return protocol


def stays(*, watches: bool = True) -> LiveKitProtocol:
    """A protocol that is in an empty room."""
    protocol = LiveKitProtocol(watches=watches)
    protocol.receive(heard(join=rtc.JoinResponse()))
    return protocol


def heard(**message: Any) -> bytes:
    return rtc.SignalResponse(**message).SerializeToString()


def candidate(text: str, **fields: object) -> str:
    return json.dumps({"candidate": f"candidate:{text}", "sdpMLineIndex": 0, **fields})


def test_a_recorded_meeting_is_reported_in_its_order() -> None:
    protocol = LiveKitProtocol()
    events = replay(WATCHER[:1], protocol)
    assert isinstance(events[0], Entered)
    assert events[0].room == "room"
    assert [one.name for one in protocol.participants] == ["Ada", "Bob"]
    assert (protocol.ping_interval, protocol.ping_timeout) == (5, 15)
    muted, consents = [], []
    for message in WATCHER[1:]:
        new = protocol.receive(message)
        events += new
        consents += [event for event in new if isinstance(event, ConsentChanged)]
        cleo = protocol.participants.find("cleo")
        if any(isinstance(event, ParticipantsChanged) for event in new) and cleo and cleo.camera:
            muted.append(cleo.camera.muted)
    offers = [event.revision for event in events if isinstance(event, Offered)]
    assert offers == list(range(offers[0], offers[0] + len(offers)))
    assert [state for n, state in enumerate(muted) if n == 0 or muted[n - 1] != state] == [
        False,
        True,
        False,
    ]
    assert consents == [ConsentChanged("cleo", Consent.OPT_OUT)]
    changes = [event for event in events if isinstance(event, ParticipantsChanged)]
    assert [event for event in changes if "cleo" in event.joined]
    assert [event for event in changes if "cleo" in event.left]
    last = events[-1]
    assert isinstance(last, Refused)
    assert last.final


def test_a_recorded_publication_is_reported_in_its_order() -> None:
    events = replay(PUBLICATION, LiveKitProtocol(watches=False))
    others = (ParticipantsChanged, ConsentChanged)
    kinds = [type(event) for event in events if not isinstance(event, others)]
    assert kinds == [
        Entered,
        TokenRenewed,
        TrackPublished,
        Answered,
        CandidateReceived,
        CandidateReceived,
        PingAnswered,
        Refused,
    ]
    received = [event for event in events if isinstance(event, CandidateReceived)]
    assert {event.stream for event in received} == {PUBLISHER}
    assert "127.0.0.1" in {event.candidate.ip for event in received}


def test_the_composite_in_the_recording_is_no_participants_camera() -> None:
    protocol = LiveKitProtocol()
    ours: list[RemoteParticipant] = []
    for message in WATCHER:
        protocol.receive(message)
        ours += [one for one in protocol.participants if one.name == "Reactions"]
    assert ours
    assert all(one.camera is None for one in ours)


@given(st.permutations(WATCHER))
def test_messages_in_any_order_do_no_harm(messages: list[bytes]) -> None:
    protocol = LiveKitProtocol()
    for message in messages:
        protocol.receive(message)
    assert protocol.phase is ConnectionPhase.OVER


@given(st.lists(st.sampled_from(WATCHER + PUBLICATION), max_size=60))
def test_messages_that_come_often_or_never_do_no_harm(messages: list[bytes]) -> None:
    protocol = LiveKitProtocol()
    for message in messages:
        protocol.receive(message)
    # A leave message always counts.
    if protocol.phase is not ConnectionPhase.OVER:
        (leaving,) = protocol.receive(heard(leave=rtc.LeaveRequest()))
        assert isinstance(leaving, Refused)
    assert protocol.phase is ConnectionPhase.OVER


@given(st.sampled_from(WATCHER), st.data())
def test_damaged_messages_do_no_harm(message: bytes, data: st.DataObject) -> None:
    broken = bytearray(message)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(broken) - 1))
        broken[place] = data.draw(st.integers(0, 255))
    protocol = entered()
    protocol.receive(bytes(broken))
    LiveKitProtocol().receive(bytes(broken))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_garbage_before_the_join_does_no_harm(garbage: bytes | str) -> None:
    protocol = LiveKitProtocol()
    protocol.receive(garbage)
    if protocol.phase is ConnectionPhase.JOINING:
        assert isinstance(protocol.receive(JOIN)[0], Entered)


def test_unknown_fields_and_messages_are_passed_over() -> None:
    protocol = entered()
    # Field 200 of the response, and field 100 within a known message, as a newer server may send.
    assert protocol.receive(b"\xc2\x0c\x03abc") == []
    newer = rtc.ParticipantUpdate(participants=[models.ParticipantInfo(identity="x", sid="PA_x")])
    body = newer.SerializeToString() + b"\xa2\x06\x02ab"
    changed = protocol.receive(b"\x2a" + bytes([len(body)]) + body)
    assert changed == [ParticipantsChanged(("x",))]
    assert "x" in protocol.participants


def test_nothing_counts_before_the_join() -> None:
    protocol = LiveKitProtocol()
    assert protocol.receive(heard(offer=rtc.SessionDescription(type="offer", sdp="v=0"))) == []
    assert protocol.phase is ConnectionPhase.JOINING


def test_nothing_counts_after_the_leave_message() -> None:
    protocol = entered()
    protocol.receive(heard(leave=rtc.LeaveRequest()))
    assert protocol.receive(JOIN) == []
    assert protocol.lose("gone") == []


def test_a_second_join_changes_nothing() -> None:
    assert entered().receive(JOIN) == []


def test_a_refusal_before_the_join_counts() -> None:
    leave = rtc.LeaveRequest(reason=models.DisconnectReason.DUPLICATE_IDENTITY)
    (refused,) = LiveKitProtocol().receive(heard(leave=leave))
    assert isinstance(refused, Refused)


def test_a_connection_that_ends_without_a_leave_message_is_lost() -> None:
    assert entered().lose("the cable") == [Refused("the cable", final=False)]


def test_a_server_that_is_not_available_names_another() -> None:
    join = rtc.JoinResponse(alternative_url="wss://elsewhere.example")
    assert LiveKitProtocol().receive(heard(join=join)) == [Redirected("wss://elsewhere.example")]


@pytest.mark.parametrize("target", [rtc.SignalTarget.SUBSCRIBER, rtc.SignalTarget.PUBLISHER])
def test_a_candidate_names_the_connection_that_it_belongs_to(target: Any) -> None:
    init = candidate("1 1 udp 1 192.0.2.1 5000 typ host")
    trickle = rtc.TrickleRequest(candidateInit=init, target=target)
    (event,) = entered().receive(heard(trickle=trickle))
    assert isinstance(event, CandidateReceived)
    assert event.candidate.ip == "192.0.2.1"
    is_subscriber = target == rtc.SignalTarget.SUBSCRIBER
    assert event.stream == (SUBSCRIBER if is_subscriber else PUBLISHER)


def test_a_candidate_that_is_not_usable_is_passed_over() -> None:
    init = candidate("1 1 tcp 1 192.0.2.1 5000 typ host tcptype passive")
    trickle = rtc.TrickleRequest(candidateInit=init)
    assert entered().receive(heard(trickle=trickle)) == []


def test_descriptions_of_the_wrong_type_are_passed_over() -> None:
    wrong = rtc.SessionDescription(type="rollback", sdp="v=0")
    assert entered().receive(heard(offer=wrong)) == []
    assert entered().receive(heard(answer=wrong)) == []


def test_a_track_that_cannot_be_subscribed_to_is_reported_with_its_reason() -> None:
    response = rtc.SubscriptionResponse(
        track_sid="TR_x", err=models.SubscriptionError.SE_CODEC_UNSUPPORTED
    )
    (event,) = entered().receive(heard(subscription_response=response))
    assert isinstance(event, Unwatchable)
    assert "codec" in event.problem


@pytest.mark.parametrize("allowed", [True, False])
def test_a_permission_to_watch_is_reported(allowed: bool) -> None:
    update = rtc.SubscriptionPermissionUpdate(track_sid="TR_x", allowed=allowed)
    (event,) = entered().receive(heard(subscription_permission_update=update))
    assert isinstance(event, Unwatchable)
    assert (event.problem == "") is allowed


def test_a_track_that_is_refused_is_reported_and_one_that_is_queued_is_not() -> None:
    request = rtc.AddTrackRequest(cid="x")
    reasons = rtc.RequestResponse.Reason
    no = rtc.RequestResponse(reason=reasons.NOT_ALLOWED, message="no", add_track=request)
    later = rtc.RequestResponse(reason=reasons.QUEUED, add_track=request)
    (refused,) = entered().receive(heard(request_response=no))
    assert isinstance(refused, PublishRefused)
    assert refused.what == "the composite can't be published: no"
    assert refused.final
    assert entered().receive(heard(request_response=later)) == []


def test_a_renewed_token_is_reported_and_not_shown() -> None:
    (renewed,) = entered().receive(heard(refresh_token="a.secret.token"))
    assert renewed == TokenRenewed("a.secret.token")
    assert "secret" not in repr(renewed)


def test_being_moved_to_another_room_is_a_loss() -> None:
    (moved,) = entered().receive(heard(room_moved=rtc.RoomMovedResponse(token="t")))
    assert isinstance(moved, Refused)
    assert not moved.final


def test_a_server_that_ends_may_name_others() -> None:
    region = rtc.RegionInfo(url="wss://near.example")
    leave = rtc.LeaveRequest(
        action=rtc.LeaveRequest.RECONNECT, regions=rtc.RegionSettings(regions=[region])
    )
    named, lost = entered().receive(heard(leave=leave))
    assert named == RegionsNamed(("wss://near.example",))
    assert isinstance(lost, Refused)
    assert not lost.final


def test_a_room_that_closes_is_the_end() -> None:
    leave = rtc.LeaveRequest(reason=models.DisconnectReason.ROOM_CLOSED)
    (end,) = entered().receive(heard(leave=leave))
    assert isinstance(end, Ended)


def test_turn_credentials_are_not_shown() -> None:
    server = rtc.ICEServer(urls=["turn:relay.example"], username="u", credential="turn-secret")
    event, _ = LiveKitProtocol().receive(heard(join=rtc.JoinResponse(ice_servers=[server])))
    assert isinstance(event, Entered)
    assert event.ice_servers[0].credential == "turn-secret"
    assert "turn-secret" not in repr(event)


def test_a_camera_is_known_by_its_track() -> None:
    cameras = [one.camera for one in entered().participants]
    assert any(camera and camera.track.startswith("TR_") for camera in cameras)


def info(identity: str, *tracks: str, version: int = 0, **fields: Any) -> models.ParticipantInfo:
    """A participant with a camera on each of ``tracks``, of which the first counts."""
    cameras = [
        models.TrackInfo(sid=sid, type=models.TrackType.VIDEO, source=models.TrackSource.CAMERA)
        for sid in tracks
    ]
    known = {"sid": f"PA_{identity}", "name": identity.upper(), "version": version, **fields}
    return models.ParticipantInfo(identity=identity, tracks=cameras, **known)


def gone(identity: str, **fields: Any) -> models.ParticipantInfo:
    return info(identity, state=models.ParticipantInfo.DISCONNECTED, **fields)


def update(protocol: LiveKitProtocol, *infos: models.ParticipantInfo) -> list[LiveKitEvent]:
    return list(protocol.receive(heard(update=rtc.ParticipantUpdate(participants=infos))))


def sent(protocol: LiveKitProtocol) -> list[rtc.SignalRequest]:
    return [rtc.SignalRequest.FromString(message) for message in protocol.take()]


def said(identity: str, text: str) -> bytes:
    message = models.ChatMessage(message=text)
    packet = models.DataPacket(participant_identity=identity, chat_message=message)
    return packet.SerializeToString()


def test_every_camera_is_subscribed_to_once() -> None:
    protocol = stays()
    update(protocol, info("ada", "TR_1"), info("bob"))
    (asked,) = sent(protocol)
    assert list(asked.subscription.track_sids) == ["TR_1"]
    assert asked.subscription.subscribe
    update(protocol, info("ada", "TR_1", version=1))
    assert sent(protocol) == []


def test_who_only_publishes_subscribes_to_nothing() -> None:
    protocol = stays(watches=False)
    update(protocol, info("ada", "TR_1"))
    assert sent(protocol) == []


def test_a_camera_that_is_replaced_is_unsubscribed_from() -> None:
    protocol = stays()
    update(protocol, info("ada", "TR_1"))
    protocol.take()
    update(protocol, info("ada", "TR_2", version=1))
    off, on = sent(protocol)
    assert (list(off.subscription.track_sids), off.subscription.subscribe) == (["TR_1"], False)
    assert (list(on.subscription.track_sids), on.subscription.subscribe) == (["TR_2"], True)


def test_a_muted_camera_stays_subscribed() -> None:
    protocol = stays()
    update(protocol, info("ada", "TR_1"))
    protocol.take()
    muted = info("ada", "TR_1", version=1)
    muted.tracks[0].muted = True
    update(protocol, muted)
    assert sent(protocol) == []


def test_a_camera_with_a_problem_is_not_subscribed_to() -> None:
    protocol = stays()
    encrypted = info("ada", "TR_1")
    encrypted.tracks[0].encryption = models.Encryption.GCM
    update(protocol, encrypted)
    assert sent(protocol) == []


def test_who_comes_and_goes_is_reported() -> None:
    protocol = stays()
    assert update(protocol, info("ada"), info("bob")) == [ParticipantsChanged(("ada", "bob"))]
    assert update(protocol, gone("ada")) == [ParticipantsChanged(left=("ada",))]


def test_problems_of_tracks_that_were_not_asked_for_are_not_kept() -> None:
    protocol = stays()
    response = rtc.SubscriptionResponse(track_sid="TR_9", err=models.SE_TRACK_NOTFOUND)
    protocol.receive(heard(subscription_response=response))
    update(protocol, info("ada", "TR_9"))
    assert protocol.problem(CameraTrack("TR_9")) == ""


def test_a_problem_of_a_track_comes_and_goes() -> None:
    protocol = stays()
    update(protocol, info("ada", "TR_1"))
    for allowed, problem in (
        (False, "has a camera that may be watched only by those they chose"),
        (True, ""),
    ):
        permission = rtc.SubscriptionPermissionUpdate(track_sid="TR_1", allowed=allowed)
        protocol.receive(heard(subscription_permission_update=permission))
        assert protocol.problem(CameraTrack("TR_1")) == problem


def test_constraints_are_sent_in_the_servers_terms() -> None:
    protocol = stays()
    update(protocol, info("ada", "TR_1"))
    protocol.take()
    protocol.constrain("ada", ReceiverConstraints(320, 180, 4.2))
    (asked,) = sent(protocol)
    settings = asked.track_setting
    assert list(settings.track_sids) == ["TR_1"]
    # The server takes a layer with nine tenths of it for enough.
    assert (settings.width, settings.height, settings.fps) == (356, 200, 5)
    assert settings.quality == models.VideoQuality.LOW
    assert not settings.disabled
    protocol.constrain("ada", ReceiverConstraints(320, 180, 4.2))
    assert sent(protocol) == []


def test_a_paused_camera_is_disabled() -> None:
    protocol = stays()
    update(protocol, info("ada", "TR_1"))
    protocol.take()
    protocol.constrain("ada", ReceiverConstraints(320, 180, 5, paused=True))
    (asked,) = sent(protocol)
    assert asked.track_setting.disabled


def test_constraints_on_unknown_participants_are_ignored() -> None:
    protocol = stays()
    protocol.constrain("ada", ReceiverConstraints(320, 180, 5))
    assert sent(protocol) == []


def test_constraints_hold_for_the_next_camera_and_not_for_the_next_stay() -> None:
    protocol = stays()
    update(protocol, info("ada"))
    protocol.constrain("ada", ReceiverConstraints(320, 180, 5))
    assert sent(protocol) == []
    update(protocol, info("ada", "TR_1", version=1))
    subscription, settings = sent(protocol)
    assert subscription.subscription.subscribe
    assert list(settings.track_setting.track_sids) == ["TR_1"]
    update(protocol, gone("ada"))
    update(protocol, info("ada", "TR_2"))
    assert [request.WhichOneof("message") for request in sent(protocol)] == ["subscription"] * 2


def test_a_choice_by_chat_is_reported_at_once() -> None:
    protocol = stays()
    update(protocol, info("ada"))
    changed = protocol.receive_data(said("ada", "!reactions off"))
    assert changed == [ConsentChanged("ada", Consent.OPT_OUT)]
    chosen = protocol.receive_data(said("ada", "!reactions playful"))
    assert chosen == [SensitivityChosen("ada", Sensitivity.PLAYFUL)]
    assert protocol.receive_data(said("ada", "hello")) == []
    assert protocol.receive_data(said("eve", "!reactions off")) == []


def test_attributes_count_when_they_change_so_that_chat_can_have_the_last_word() -> None:
    off: dict[str, Any] = {"attributes": {"reactions": "off"}}
    protocol = stays()
    assert update(protocol, info("ada", **off))[0] == ConsentChanged("ada", Consent.OPT_OUT)
    assert protocol.receive_data(said("ada", "!reactions on")) == [
        ConsentChanged("ada", Consent.OPT_IN)
    ]
    # The attribute is still what it was: it says nothing new.
    assert update(protocol, info("ada", version=1, **off)) == [ParticipantsChanged()]
    update(protocol, info("ada", version=2))
    changed = update(protocol, info("ada", version=3, **off))
    assert changed[0] == ConsentChanged("ada", Consent.OPT_OUT)


def test_the_attributes_of_the_next_stay_count_again() -> None:
    off: dict[str, Any] = {"attributes": {"reactions": "off"}}
    protocol = stays()
    update(protocol, info("ada", **off))
    update(protocol, gone("ada"))
    assert update(protocol, info("ada", **off))[0] == ConsentChanged("ada", Consent.OPT_OUT)


def test_messages_are_taken_once_and_in_their_order() -> None:
    protocol = stays()
    protocol.answer("one", 7)
    protocol.add_composite("cid")
    protocol.offer("two")
    protocol.ping(1000, 20)
    answer, track, offer, ping = sent(protocol)
    assert (answer.answer.sdp, answer.answer.id) == ("one", 7)
    assert track.add_track.cid == "cid"
    assert offer.offer.sdp == "two"
    assert (ping.ping_req.timestamp, ping.ping_req.rtt) == (1000, 20)
    assert sent(protocol) == []


def test_leaving_drops_what_was_to_be_sent_before() -> None:
    protocol = stays()
    protocol.offer("too late")
    protocol.leave()
    (leave,) = sent(protocol)
    assert leave.HasField("leave")
    assert protocol.phase is ConnectionPhase.OVER


def test_leaving_before_the_join_says_nothing() -> None:
    protocol = LiveKitProtocol()
    protocol.leave()
    assert sent(protocol) == []


def participant(
    identity: str = "ada", sid: str = "PA_1", version: int = 0, **fields: Any
) -> RemoteParticipant:
    known = {"name": identity, "camera": None, "consent": None, "present": True, **fields}
    return RemoteParticipant(sid=sid, identity=identity, version=version, **known)


def test_old_news_of_a_stay_is_ignored() -> None:
    roster = RemoteParticipants()
    roster.update([participant(version=3, name="new"), participant(version=2, name="old")])
    assert [each.name for each in roster] == ["new"]


def test_the_end_of_an_earlier_stay_ends_no_later_one() -> None:
    roster = RemoteParticipants()
    roster.update([participant(sid="PA_2"), participant(sid="PA_1", present=False)])
    assert [each.sid for each in roster] == ["PA_2"]
    roster.update([participant(sid="PA_2", present=False)])
    assert list(roster) == []


def test_a_room_of_too_many_is_cut() -> None:
    roster = RemoteParticipants()
    roster.update(participant(identity=str(number)) for number in range(2000))
    assert len(list(roster)) == 1000
    roster.update([participant(identity="0", version=1, name="known")])
    found = roster.find("0")
    assert found is not None
    assert found.name == "known"
