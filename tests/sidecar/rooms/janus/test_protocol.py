"""The protocol without a socket: recorded meetings of a real Janus, and each of its steps."""

import json
from itertools import pairwise
from typing import Any

import pytest

from sidecar.rooms.base import Consent, ConsentChanged
from sidecar.rooms.events import (
    Answered,
    CandidateReceived,
    Closed,
    Ended,
    Offered,
    ParticipantsChanged,
    Refused,
    Unpublished,
)
from sidecar.rooms.janus.exchange import SubstreamChanged
from sidecar.rooms.janus.messages import COMPOSITE, JanusLayer
from sidecar.rooms.janus.publication import PUBLISHER
from sidecar.rooms.janus.subscription import STEP_TICKS
from tests.sidecar.rooms.janus.conversation import Conversation, receiving
from tests.sidecar.rooms.janus.transcripts import FOLDER, load, replay

TRANSCRIPTS = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_recorded_meeting_goes_the_same_way_again(name: str) -> None:
    recorded, replayed = replay(load(name))
    assert replayed == recorded


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("meeting", "Ended("),
        ("meeting", "VP9"),
        ("kicked", "kicked"),
        ("locked", "require_pvtid"),
        ("full", "PublishRefused"),
        ("claimed", "No such session"),
    ],
)
def test_the_transcripts_contain_what_they_are_named_for(name: str, words: str) -> None:
    kinds = ("event", "participants")
    followed = [step for step in load(name) if any(kind in step for kind in kinds)]
    assert words in json.dumps(followed)


def test_each_publisher_is_received_over_a_handle_of_their_own() -> None:
    conversation = receiving(5, 6)
    assert conversation.offered() == ["5", "6"]
    handles = [sent["handle_id"] for sent in conversation.requests if sent.get("jsep")]
    assert len(set(handles)) == 2


def test_the_watcher_joins_as_a_subscriber_alone() -> None:
    conversation = receiving(5, 6)
    assert {body["ptype"] for body in conversation.bodies("join")} == {"subscriber"}


def test_token_and_secret_go_with_every_request() -> None:
    conversation = receiving(5, token="t0ken", secret="s3cret")
    assert all(
        (sent["token"], sent["apisecret"]) == ("t0ken", "s3cret") for sent in conversation.requests
    )


def test_the_pin_goes_with_every_join() -> None:
    conversation = receiving(5, pin="sesame")
    assert [body["pin"] for body in conversation.bodies("join")] == ["sesame", "sesame"]


def test_a_participant_who_leaves_the_list_is_gone_and_their_handle_freed() -> None:
    conversation = receiving(5, 6)
    handle = conversation.handle("start")
    conversation.server.feeds = [5]
    conversation.tick(1)
    assert conversation.of(ParticipantsChanged)[-1] == ParticipantsChanged(left=("6",))
    assert list(conversation.protocol.participants) == ["5"]
    detached = [sent["handle_id"] for sent in conversation.requests if sent["janus"] == "detach"]
    assert handle in detached


def test_a_connection_that_hangs_up_is_made_again_after_a_rest() -> None:
    conversation = receiving(5)
    hangup = {"janus": "hangup", "sender": conversation.handle("start"), "reason": "ICE failed"}
    conversation.receive(hangup)
    (offer,) = conversation.of(Offered)
    assert conversation.of(Closed) == [Closed(offer.stream, "ICE failed", lost=True)]
    conversation.exchange()
    assert len(conversation.offered()) == 1
    conversation.tick(3)
    assert len(conversation.offered()) == 2


def test_rests_grow_with_the_failures_in_a_row_up_to_half_a_minute() -> None:
    conversation = receiving(5)
    attempts: list[int] = []
    for number in range(400):
        before = len(conversation.offered())
        conversation.tick(1)
        if len(conversation.offered()) > before:
            attempts.append(number)
        conversation.give_up("5", "no road")
    rests = [later - earlier for earlier, later in pairwise(attempts)]
    assert rests[0] < 5
    assert max(rests) <= 60


def test_a_request_that_is_not_answered_is_repeated() -> None:
    conversation = receiving()
    conversation.server.feeds = [5]
    answers = conversation.server.answers
    conversation.server.answers = lambda request: (  # type: ignore[method-assign]
        [] if request["janus"] == "attach" else answers(request)
    )
    conversation.tick(1)
    assert conversation.offered() == []
    conversation.server.answers = answers  # type: ignore[method-assign]
    conversation.tick(STEP_TICKS + 5)
    assert conversation.offered() == ["5"]


def test_a_lost_list_is_asked_for_again() -> None:
    conversation = receiving()
    conversation.protocol.tick()
    conversation.protocol.requests_to_send()
    conversation.server.feeds = [5]
    conversation.tick(STEP_TICKS + 1)
    assert conversation.offered() == ["5"]


def test_another_sidecars_composite_is_no_camera() -> None:
    conversation = Conversation(5)
    described = {"type": "video", "mid": "0", "codec": "vp8", "feed_description": COMPOSITE}
    answers = conversation.server.answers

    def describing(request: dict[str, Any]) -> list[str]:
        sent = [json.loads(text) for text in answers(request)]
        for message in sent:
            message.get("plugindata", {}).get("data", {})["streams"] = [described]
        return [json.dumps(message) for message in sent]

    conversation.server.answers = describing  # type: ignore[method-assign]
    conversation.exchange()
    conversation.tick(100)
    assert conversation.offered() == []
    assert len(conversation.bodies("join")) == 2


def test_a_layer_is_asked_for_once() -> None:
    conversation = receiving(5)
    first = len(conversation.bodies("configure"))
    for _ in range(3):
        conversation.protocol.prefer("5", JanusLayer(1, 0, send=False))
        conversation.exchange()
    (asked,) = conversation.bodies("configure")[first:]
    assert asked["streams"] == [{"mid": "0", "send": False, "substream": 1, "temporal": 0}]


def test_a_camera_begins_with_the_smallest_layer_and_grows_to_the_one_that_was_wanted() -> None:
    conversation = receiving(5)
    conversation.protocol.prefer("5", JanusLayer(2))
    conversation.give_up("5", "lost")
    conversation.tick(5)
    assert conversation.bodies("join")[-1]["streams"] == [{"feed": 5, "substream": 0}]
    assert conversation.bodies("configure")[-1]["streams"][0]["substream"] == 2


def test_a_token_that_expires_ends_the_session_for_now_and_one_that_is_wrong_for_good() -> None:
    refused = {"janus": "error", "error": {"code": 403, "reason": "Unauthorized"}}
    expired, wrong = receiving(5), Conversation(5)
    expired.receive(refused)
    wrong.receive(refused)
    assert [expired.of(Refused)[0].final, wrong.of(Refused)[0].final] == [False, True]


def test_a_switch_of_substreams_is_reported() -> None:
    conversation = receiving(5)
    conversation.plugin(conversation.handle("start"), videoroom="event", substream=1)
    (offer,) = conversation.of(Offered)
    assert conversation.of(SubstreamChanged) == [SubstreamChanged(offer.stream, 1)]


def test_candidates_go_to_the_connection_they_are_for() -> None:
    conversation = receiving(5)
    conversation.protocol.publish("Reactions", "v=0", "0")
    for request in conversation.protocol.requests_to_send():
        conversation.receive({"janus": "success", "data": {"id": 42}, **_transaction(request)})
    for handle in (conversation.handle("start"), 42):
        candidate = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0"}
        conversation.receive({"janus": "trickle", "sender": handle, "candidate": candidate})
    (offer,) = conversation.of(Offered)
    streams = [event.stream for event in conversation.of(CandidateReceived)]
    assert streams == [offer.stream, PUBLISHER]


def _transaction(request: dict[str, Any]) -> dict[str, Any]:
    return {"transaction": request["transaction"]}


def published() -> tuple[Conversation, int]:
    """A conversation in which the composite is published, and its handle."""
    conversation = receiving(5)
    answers = conversation.server.answers

    def taking(request: dict[str, Any]) -> list[str]:
        about = {"sender": request.get("handle_id"), **_transaction(request)}
        match request.get("body"):
            case {"request": "join", "ptype": "publisher"}:
                data: dict[str, Any] = {"videoroom": "joined", "id": 99, "private_id": 7}
                return [json.dumps({"janus": "event", "plugindata": {"data": data}, **about})]
            case {"request": "publish"}:
                streams = [{"type": "video", "mid": "0", "codec": "vp8"}]
                data = {"videoroom": "event", "configured": "ok", "streams": streams}
                jsep = {"type": "answer", "sdp": "v=0"}
                message = {"janus": "event", "plugindata": {"data": data}, "jsep": jsep, **about}
                return [json.dumps(message)]
        return answers(request)

    conversation.server.answers = taking  # type: ignore[method-assign]
    conversation.protocol.publish("Reactions", "v=0", "0")
    conversation.exchange()
    assert conversation.of(Answered) == [Answered(PUBLISHER, "v=0")]
    return conversation, conversation.handle("publish")


def test_our_own_composite_is_not_received() -> None:
    conversation, _ = published()
    conversation.server.feeds = [5, 99]
    conversation.tick(10)
    assert list(conversation.protocol.participants) == ["5"]


def test_the_end_of_the_composites_connection_is_reported() -> None:
    conversation, handle = published()
    conversation.receive({"janus": "hangup", "sender": handle, "reason": "DTLS alert"})
    assert conversation.of(Unpublished) == [Unpublished(PUBLISHER, "DTLS alert")]


def test_a_kicked_sidecar_is_refused_for_good() -> None:
    conversation, handle = published()
    conversation.plugin(handle, videoroom="event", leaving="ok", reason="kicked")
    assert conversation.of(Refused) == [Refused("the sidecar was kicked")]


def test_a_room_that_vanishes_from_under_a_watcher_is_over() -> None:
    conversation = receiving(5)
    data = {"videoroom": "event", "error_code": 426, "error": "No such room"}
    conversation.protocol.tick()
    (request,) = conversation.protocol.requests_to_send()
    about = {"sender": request["handle_id"], **_transaction(request)}
    conversation.receive({"janus": "success", "plugindata": {"data": data}, **about})
    assert conversation.of(Ended) == [Ended()]


def test_a_claimed_session_keeps_what_is_received_and_repeats_the_rest() -> None:
    conversation = receiving(5)
    conversation.server.feeds = [5, 6]
    conversation.protocol.tick()
    listing = conversation.protocol.requests_to_send()
    for request in listing:
        for text in conversation.server.answers(request):
            conversation.receive(text)
    conversation.protocol.requests_to_send()
    conversation.protocol.connect()
    conversation.exchange()
    conversation.tick(3)
    assert conversation.requests[-1]["session_id"] == conversation.protocol.session
    assert conversation.of(Closed) == []
    assert conversation.offered() == ["5", "6"]


@pytest.mark.parametrize(
    "ending", [{"janus": "timeout"}, {"janus": "error", "error": {"code": 458}}]
)
def test_a_session_that_ended_is_lost(ending: dict[str, Any]) -> None:
    conversation = receiving(5)
    conversation.receive(ending)
    assert len(conversation.of(Refused)) == 1
    assert not conversation.of(Refused)[0].final
    assert conversation.protocol.over


def test_a_keepalive_names_the_session() -> None:
    conversation = receiving(5)
    conversation.protocol.keep_alive()
    (request,) = conversation.protocol.requests_to_send()
    assert request["janus"] == "keepalive"
    assert request["session_id"] == conversation.protocol.session


def test_a_server_without_multistream_subscribers_is_refused() -> None:
    conversation = Conversation(5)
    conversation.receive({"janus": "server_info", "version": 14, "transaction": "sidecar-1"})
    assert conversation.of(Refused)[0].final


def test_a_dummy_publisher_is_not_received() -> None:
    conversation = receiving()
    rows = [{"id": 5, "display": "Dummy", "publisher": True, "dummy": True}]
    conversation.protocol.tick()
    (request,) = conversation.protocol.requests_to_send()
    data = {"videoroom": "participants", "participants": rows}
    conversation.receive(
        {"janus": "success", "plugindata": {"data": data}, **_transaction(request)}
    )
    assert conversation.protocol.requests_to_send() == []


def test_leaving_ends_the_session_and_sends_nothing_else() -> None:
    conversation = receiving(5)
    conversation.protocol.tick()
    conversation.protocol.leave()
    (request,) = conversation.protocol.requests_to_send()
    assert request["janus"] == "destroy"
    conversation.protocol.tick()
    conversation.give_up("5", "the server closed the connection")
    conversation.protocol.publish("Reactions", "v=0", "0")
    assert conversation.protocol.requests_to_send() == []
    assert conversation.protocol.events_received() == []


def test_a_camera_that_is_off_is_looked_for_until_it_is_on() -> None:
    conversation = Conversation(5)
    answers = conversation.server.answers

    def dark(request: dict[str, Any]) -> list[str]:
        return [text.replace('"active": true', '"active": false') for text in answers(request)]

    conversation.server.answers = dark  # type: ignore[method-assign]
    conversation.exchange()
    conversation.tick(20)
    assert conversation.offered() == []
    assert conversation.protocol.participants["5"].problem == ""
    conversation.server.answers = answers  # type: ignore[method-assign]
    conversation.tick(60)
    assert conversation.offered() == ["5"]


def test_a_display_name_that_opts_out_is_reported_once_for_each_change_of_it() -> None:
    conversation = receiving(5)

    def rename(display: str) -> None:
        rows = [{"id": 5, "display": display, "publisher": True}]
        conversation.protocol.tick()
        (request,) = conversation.protocol.requests_to_send()
        data = {"videoroom": "participants", "participants": rows}
        plugin = {"janus": "success", "plugindata": {"data": data}, **_transaction(request)}
        conversation.receive(plugin)

    for display in ("Ada !reactions off", "Ada !reactions off", "Ada", "Ada !reactions on"):
        rename(display)
    consents = [event.consent for event in conversation.of(ConsentChanged)]
    assert consents == [Consent.OPT_OUT, Consent.OPT_IN]
    assert conversation.protocol.participants["5"].name == "Ada"


def test_an_answer_to_a_stream_that_is_over_is_ignored() -> None:
    conversation = receiving(5)
    first = conversation.of(Offered)[0].stream
    conversation.give_up("5", "lost")
    conversation.protocol.answer(first, "v=0")
    conversation.protocol.give_up(first, "lost again")
    assert [request["janus"] for request in conversation.protocol.requests_to_send()] == ["detach"]


@pytest.mark.parametrize("candidate", ["candidate:1 1 tcp 1 192.0.2.1 9 typ host", "nonsense", ""])
def test_candidates_that_can_not_be_used_are_dropped(candidate: str) -> None:
    conversation = receiving(5)
    fields = {"candidate": candidate, "sdpMid": "0"}
    handle = conversation.handle("start")
    conversation.receive({"janus": "trickle", "sender": handle, "candidate": fields})
    assert conversation.of(CandidateReceived) == []
