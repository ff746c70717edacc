import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from sidecar.rooms.base import Consent
from sidecar.rooms.livekit.leaving import Leaving, Verdict
from sidecar.rooms.livekit.people import Camera, Person
from sidecar.rooms.livekit.protocol import (
    MAX_CANDIDATES,
    Answered,
    Candidate,
    Elsewhere,
    Entered,
    Event,
    Offered,
    People,
    Phase,
    Pong,
    Protocol,
    Published,
    Renewed,
    Side,
    Subscription,
    Unpublishable,
    read_candidate,
)
from tests.sidecar.rooms.livekit.record import transcript

WATCHER, PUBLISHER = transcript("watcher"), transcript("publisher")
JOIN = WATCHER[0]


def replay(messages: list[bytes]) -> list[Event]:
    protocol = Protocol()
    return [event for message in messages for event in protocol.receive(message)]


def news(events: list[Event]) -> list[Person]:
    return [person for event in events if isinstance(event, People) for person in event.people]


def entered() -> Protocol:
    protocol = Protocol()
    protocol.receive(JOIN)
    return protocol


def heard(**message: Any) -> bytes:
    return rtc.SignalResponse(**message).SerializeToString()


def candidate(text: str, **fields: object) -> str:
    return json.dumps({"candidate": f"candidate:{text}", "sdpMLineIndex": 0, **fields})


def test_a_recorded_meeting_is_told_in_its_order() -> None:
    events = replay(WATCHER)
    first, last = events[0], events[-1]
    assert isinstance(first, Entered)
    assert first.room == "room"
    assert [person.name for person in first.people] == ["Ada", "Bob"]
    assert (first.ping_every, first.ping_timeout) == (5, 15)
    offers = [event.number for event in events if isinstance(event, Offered)]
    assert offers == list(range(offers[0], offers[0] + len(offers)))
    news = [person for event in events if isinstance(event, People) for person in event.people]
    cleo = [person for person in news if person.identity == "cleo"]
    assert [person.camera.muted for person in cleo if person.camera] == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert [person.consent for person in cleo][-2:] == [Consent.OPT_OUT] * 2
    assert not cleo[-1].present
    assert isinstance(last, Leaving)
    assert last.verdict is Verdict.REFUSED


def test_a_recorded_publication_is_told_in_its_order() -> None:
    events = replay(PUBLISHER)
    kinds = [type(event) for event in events if not isinstance(event, People)]
    assert kinds == [Entered, Renewed, Published, Answered, Candidate, Candidate, Pong, Leaving]
    ways = [event for event in events if isinstance(event, Candidate)]
    assert {way.side for way in ways} == {Side.PUBLISHER}
    assert "127.0.0.1" in {way.candidate.ip for way in ways}


def test_the_composite_in_the_recording_counts_as_nobodys_camera() -> None:
    news = [
        person for event in replay(WATCHER) if isinstance(event, People) for person in event.people
    ]
    ours = [person for person in news if person.name == "Reactions"]
    assert ours
    assert all(person.camera is None for person in ours)


@given(st.permutations(WATCHER))
def test_messages_in_any_order_do_no_harm(messages: list[bytes]) -> None:
    protocol = Protocol()
    for message in messages:
        protocol.receive(message)
    assert protocol.phase is Phase.OVER


@given(st.lists(st.sampled_from(WATCHER + PUBLISHER), max_size=60))
def test_messages_that_come_often_or_never_do_no_harm(messages: list[bytes]) -> None:
    protocol = Protocol()
    for message in messages:
        protocol.receive(message)
    # Whatever came: a goodbye is always heard.
    if protocol.phase is not Phase.OVER:
        (leaving,) = protocol.receive(heard(leave=rtc.LeaveRequest()))
        assert isinstance(leaving, Leaving)
    assert protocol.phase is Phase.OVER


@given(st.sampled_from(WATCHER), st.data())
def test_damaged_messages_do_no_harm(message: bytes, data: st.DataObject) -> None:
    broken = bytearray(message)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(broken) - 1))
        broken[place] = data.draw(st.integers(0, 255))
    protocol = entered()
    protocol.receive(bytes(broken))
    Protocol().receive(bytes(broken))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_garbage_before_the_join_does_no_harm(garbage: bytes | str) -> None:
    protocol = Protocol()
    protocol.receive(garbage)
    if protocol.phase is Phase.JOINING:
        assert isinstance(protocol.receive(JOIN)[0], Entered)


def test_unknown_fields_and_messages_are_passed_over() -> None:
    protocol = entered()
    # Field 200 of the response, and field 100 within a known message, as a newer server may send.
    assert protocol.receive(b"\xc2\x0c\x03abc") == []
    newer = rtc.ParticipantUpdate(participants=[models.ParticipantInfo(identity="x", sid="PA_x")])
    body = newer.SerializeToString() + b"\xa2\x06\x02ab"
    (people,) = protocol.receive(b"\x2a" + bytes([len(body)]) + body)
    assert isinstance(people, People)
    assert people.people[0].identity == "x"


def test_nothing_counts_before_the_join() -> None:
    protocol = Protocol()
    assert protocol.receive(heard(offer=rtc.SessionDescription(type="offer", sdp="v=0"))) == []
    assert protocol.phase is Phase.JOINING


def test_nothing_counts_after_the_goodbye() -> None:
    protocol = entered()
    protocol.receive(heard(leave=rtc.LeaveRequest()))
    assert protocol.receive(JOIN) == []
    assert protocol.lose("gone") == []


def test_a_second_join_changes_nothing() -> None:
    assert entered().receive(JOIN) == []


def test_a_refusal_before_the_join_is_heard() -> None:
    leave = rtc.LeaveRequest(reason=models.DisconnectReason.DUPLICATE_IDENTITY)
    (leaving,) = Protocol().receive(heard(leave=leave))
    assert isinstance(leaving, Leaving)


def test_a_connection_that_ends_without_a_goodbye_is_lost() -> None:
    protocol = entered()
    (leaving,) = protocol.lose("the cable")
    assert leaving == Leaving(Verdict.LOST, "the cable")


def test_a_server_that_is_not_available_names_another() -> None:
    join = rtc.JoinResponse(alternative_url="wss://elsewhere.example")
    assert Protocol().receive(heard(join=join)) == [Elsewhere("wss://elsewhere.example")]


def test_candidates_wait_for_the_description_that_they_belong_to() -> None:
    protocol = entered()
    init = candidate("1 1 udp 1 192.0.2.1 5000 typ host")
    trickle = rtc.TrickleRequest(candidateInit=init, target=rtc.SignalTarget.PUBLISHER)
    assert protocol.receive(heard(trickle=trickle)) == []
    answer = rtc.SessionDescription(type="answer", sdp="v=0")
    first, second = protocol.receive(heard(answer=answer))
    assert isinstance(first, Answered)
    assert isinstance(second, Candidate)
    assert second.side is Side.PUBLISHER
    assert second.candidate.ip == "192.0.2.1"


def test_candidates_without_end_are_not_kept() -> None:
    protocol = entered()
    init = candidate("1 1 udp 1 192.0.2.1 5000 typ host")
    trickle = rtc.TrickleRequest(candidateInit=init, target=rtc.SignalTarget.PUBLISHER)
    for _ in range(2 * MAX_CANDIDATES):
        protocol.receive(heard(trickle=trickle))
    answer = rtc.SessionDescription(type="answer", sdp="v=0")
    assert len(protocol.receive(heard(answer=answer))) == 1 + MAX_CANDIDATES


def test_descriptions_of_the_wrong_type_are_passed_over() -> None:
    wrong = rtc.SessionDescription(type="rollback", sdp="v=0")
    assert entered().receive(heard(offer=wrong)) == []
    assert entered().receive(heard(answer=wrong)) == []


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


def test_a_track_that_cannot_be_subscribed_to_is_told_with_its_reason() -> None:
    response = rtc.SubscriptionResponse(
        track_sid="TR_x", err=models.SubscriptionError.SE_CODEC_UNSUPPORTED
    )
    (told,) = entered().receive(heard(subscription_response=response))
    assert isinstance(told, Subscription)
    assert "codec" in told.problem


@pytest.mark.parametrize("allowed", [True, False])
def test_a_permission_to_watch_is_told(allowed: bool) -> None:
    update = rtc.SubscriptionPermissionUpdate(track_sid="TR_x", allowed=allowed)
    (told,) = entered().receive(heard(subscription_permission_update=update))
    assert isinstance(told, Subscription)
    assert (told.problem == "") is allowed


def test_a_track_that_is_refused_is_told_and_one_that_is_queued_is_not() -> None:
    request = rtc.AddTrackRequest(cid="x")
    reasons = rtc.RequestResponse.Reason
    no = rtc.RequestResponse(reason=reasons.NOT_ALLOWED, message="no", add_track=request)
    later = rtc.RequestResponse(reason=reasons.QUEUED, add_track=request)
    assert entered().receive(heard(request_response=no)) == [Unpublishable("no")]
    assert entered().receive(heard(request_response=later)) == []


def test_a_renewed_token_is_told_and_not_shown() -> None:
    (renewed,) = entered().receive(heard(refresh_token="a.secret.token"))
    assert renewed == Renewed("a.secret.token")
    assert "secret" not in repr(renewed)


def test_being_moved_to_another_room_is_a_loss() -> None:
    (moved,) = entered().receive(heard(room_moved=rtc.RoomMovedResponse(token="t")))
    assert isinstance(moved, Leaving)
    assert moved.verdict is Verdict.LOST


def test_ping_times_stay_within_reason() -> None:
    join = rtc.JoinResponse(ping_interval=100_000, ping_timeout=-5)
    (told,) = Protocol().receive(heard(join=join))
    assert isinstance(told, Entered)
    assert (told.ping_every, told.ping_timeout) == (60, 3)


def test_turn_credentials_are_not_shown() -> None:
    server = rtc.ICEServer(urls=["turn:relay.example"], username="u", credential="turn-secret")
    (told,) = Protocol().receive(heard(join=rtc.JoinResponse(ice_servers=[server])))
    assert isinstance(told, Entered)
    assert told.ice_servers[0].credential == "turn-secret"
    assert "turn-secret" not in repr(told)


def test_a_camera_is_told_by_its_track() -> None:
    events = replay(WATCHER)
    first = events[0]
    assert isinstance(first, Entered)
    cameras = [person.camera for person in first.people]
    assert any(isinstance(camera, Camera) and camera.track.startswith("TR_") for camera in cameras)
