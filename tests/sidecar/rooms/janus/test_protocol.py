"""The protocol without a socket: what a real Janus said, said again, and each of its turns."""

import json
from itertools import pairwise
from typing import Any

import pytest

from sidecar.rooms.janus.events import (
    Closed,
    Failed,
    Gone,
    Named,
    Offered,
    Over,
    Published,
    Switched,
    Trickled,
    Unpublished,
    Unwatchable,
)
from sidecar.rooms.janus.subscription import Layer
from sidecar.rooms.janus.subscriptions import COMPOSITE, PATIENCE
from tests.sidecar.rooms.janus.conversation import Conversation, watching
from tests.sidecar.rooms.janus.transcripts import FOLDER, load, replay

TRANSCRIPTS = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_recorded_meeting_goes_the_same_way_again(name: str) -> None:
    then, now = replay(load(name))
    assert now == then


def test_the_transcripts_tell_the_stories_they_are_named_for() -> None:
    told = {name: " ".join(step.get("told", "") for step in load(name)) for name in TRANSCRIPTS}
    assert "Over()" in told["meeting"]
    assert "VP9" in told["meeting"]
    assert "kicked" in told["kicked"]
    assert "require_pvtid" in told["locked"]
    assert "NotPublished" in told["full"]
    assert "No such session" in told["claimed"]


def test_everybody_who_publishes_is_watched_over_a_handle_of_their_own() -> None:
    conversation = watching(5, 6)
    assert [event.feed for event in conversation.of(Offered)] == ["5", "6"]
    handles = [said["handle_id"] for said in conversation.said if said.get("jsep")]
    assert len(set(handles)) == 2


def test_watching_joins_as_a_subscriber_alone() -> None:
    conversation = watching(5, 6)
    assert {body["ptype"] for body in conversation.bodies("join")} == {"subscriber"}


def test_token_and_secret_go_with_every_request() -> None:
    conversation = watching(5, token="t0ken", secret="s3cret")
    assert all(
        (said["token"], said["apisecret"]) == ("t0ken", "s3cret") for said in conversation.said
    )


def test_the_pin_goes_with_every_join() -> None:
    conversation = watching(5, pin="sesame")
    assert [body["pin"] for body in conversation.bodies("join")] == ["sesame", "sesame"]


def test_who_leaves_the_list_is_gone_and_their_handle_is_freed() -> None:
    conversation = watching(5, 6)
    handle = conversation.handle("start")
    conversation.server.feeds = [5]
    conversation.rounds(1)
    assert conversation.of(Gone) == [Gone("6", "publishes no longer")]
    detached = [said["handle_id"] for said in conversation.said if said["janus"] == "detach"]
    assert handle in detached


def test_a_connection_that_hangs_up_is_made_anew_after_a_rest() -> None:
    conversation = watching(5)
    hangup = {"janus": "hangup", "sender": conversation.handle("start"), "reason": "ICE failed"}
    conversation.hear(hangup)
    assert conversation.of(Closed) == [Closed("5", "ICE failed")]
    conversation.exchange()
    assert len(conversation.of(Offered)) == 1
    conversation.rounds(3)
    assert len(conversation.of(Offered)) == 2


def test_rests_grow_with_the_failures_in_a_row_up_to_half_a_minute() -> None:
    conversation = watching(5)
    attempts: list[int] = []
    for number in range(400):
        before = len(conversation.of(Offered))
        conversation.rounds(1)
        if len(conversation.of(Offered)) > before:
            attempts.append(number)
        conversation.events += conversation.protocol.give_up("5", "no road")
    rests = [later - earlier for earlier, later in pairwise(attempts)]
    assert rests[0] < 5
    assert max(rests) <= 60


def test_a_server_that_answers_nothing_to_one_step_is_asked_anew() -> None:
    conversation = watching()
    conversation.server.feeds = [5]
    answers = conversation.server.answers
    conversation.server.answers = lambda request: (  # type: ignore[method-assign]
        [] if request["janus"] == "attach" else answers(request)
    )
    conversation.rounds(1)
    assert conversation.of(Offered) == []
    conversation.server.answers = answers  # type: ignore[method-assign]
    conversation.rounds(PATIENCE + 5)
    assert [event.feed for event in conversation.of(Offered)] == ["5"]


def test_a_lost_list_is_asked_for_again() -> None:
    conversation = watching()
    conversation.protocol.round()
    conversation.protocol.take()
    conversation.server.feeds = [5]
    conversation.rounds(PATIENCE + 1)
    assert [event.feed for event in conversation.of(Offered)] == ["5"]


def test_another_sidecars_composite_is_no_camera() -> None:
    conversation = Conversation(5)
    described = {"type": "video", "mid": "0", "codec": "vp8", "feed_description": COMPOSITE}
    answers = conversation.server.answers

    def describing(request: dict[str, Any]) -> list[str]:
        said = [json.loads(text) for text in answers(request)]
        for message in said:
            message.get("plugindata", {}).get("data", {})["streams"] = [described]
        return [json.dumps(message) for message in said]

    conversation.server.answers = describing  # type: ignore[method-assign]
    conversation.exchange()
    conversation.rounds(100)
    assert conversation.of(Offered) == []
    assert len(conversation.bodies("join")) == 2


def test_a_layer_is_asked_for_once_and_at_once_when_it_is_watched() -> None:
    conversation = watching(5)
    first = len(conversation.bodies("configure"))
    for _ in range(3):
        conversation.protocol.prefer("5", Layer(1, 0, send=False))
        conversation.exchange()
    (asked,) = conversation.bodies("configure")[first:]
    assert asked["streams"] == [{"mid": "0", "send": False, "substream": 1, "temporal": 0}]


def test_a_camera_begins_with_the_smallest_layer_and_grows_to_the_one_that_was_wanted() -> None:
    conversation = watching(5)
    conversation.protocol.prefer("5", Layer(2))
    conversation.protocol.give_up("5", "lost")
    conversation.rounds(5)
    assert conversation.bodies("join")[-1]["streams"] == [{"feed": 5, "substream": 0}]
    assert conversation.bodies("configure")[-1]["streams"][0]["substream"] == 2


def test_a_token_that_expires_ends_the_session_for_now_and_one_that_is_wrong_for_good() -> None:
    refused = {"janus": "error", "error": {"code": 403, "reason": "Unauthorized"}}
    expired, wrong = watching(5), Conversation(5)
    expired.hear(refused)
    wrong.hear(refused)
    assert [expired.of(Failed)[0].final, wrong.of(Failed)[0].final] == [False, True]


def test_a_switch_of_substreams_is_told() -> None:
    conversation = watching(5)
    conversation.plugin(conversation.handle("start"), videoroom="event", substream=1)
    assert conversation.of(Switched) == [Switched("5", 1)]


def test_candidates_go_to_the_connection_they_are_for() -> None:
    conversation = watching(5)
    conversation.protocol.publish("Reactions", "v=0", "0")
    for request in conversation.protocol.take():
        conversation.hear({"janus": "success", "data": {"id": 42}, **_transaction(request)})
    for handle in (conversation.handle("start"), 42):
        candidate = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0"}
        conversation.hear({"janus": "trickle", "sender": handle, "candidate": candidate})
    assert [event.feed for event in conversation.of(Trickled)] == ["5", None]


def _transaction(request: dict[str, Any]) -> dict[str, Any]:
    return {"transaction": request["transaction"]}


def published() -> tuple[Conversation, int]:
    """A conversation in which the composite is published, and its handle."""
    conversation = watching(5)
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
    assert conversation.of(Published) == [Published("v=0")]
    return conversation, conversation.handle("publish")


def test_our_own_composite_is_not_watched() -> None:
    conversation, _ = published()
    conversation.server.feeds = [5, 99]
    conversation.rounds(10)
    assert {event.feed for event in conversation.of(Named)} == {"5"}


def test_a_composite_that_is_cut_off_is_told() -> None:
    conversation, handle = published()
    conversation.hear({"janus": "hangup", "sender": handle, "reason": "DTLS alert"})
    assert conversation.of(Unpublished) == [Unpublished("DTLS alert")]


def test_who_is_kicked_is_refused_for_good() -> None:
    conversation, handle = published()
    conversation.plugin(handle, videoroom="event", leaving="ok", reason="kicked")
    assert conversation.of(Failed) == [Failed("the sidecar was kicked", final=True)]


def test_a_room_that_vanishes_from_under_a_watcher_is_over() -> None:
    conversation = watching(5)
    data = {"videoroom": "event", "error_code": 426, "error": "No such room"}
    conversation.protocol.round()
    (request,) = conversation.protocol.take()
    about = {"sender": request["handle_id"], **_transaction(request)}
    conversation.hear({"janus": "success", "plugindata": {"data": data}, **about})
    assert conversation.of(Over) == [Over()]


def test_a_claimed_session_keeps_what_is_watched_and_tries_the_rest_again() -> None:
    conversation = watching(5)
    conversation.server.feeds = [5, 6]
    conversation.protocol.round()
    listing = conversation.protocol.take()
    for request in listing:
        for text in conversation.server.answers(request):
            conversation.hear(text)
    conversation.protocol.take()
    conversation.protocol.open()
    conversation.exchange()
    conversation.rounds(3)
    assert conversation.said[-1]["session_id"] == conversation.protocol.session
    assert conversation.of(Closed) == []
    assert [event.feed for event in conversation.of(Offered)] == ["5", "6"]


@pytest.mark.parametrize(
    "ending", [{"janus": "timeout"}, {"janus": "error", "error": {"code": 458}}]
)
def test_a_session_that_ended_is_lost(ending: dict[str, Any]) -> None:
    conversation = watching(5)
    conversation.hear(ending)
    assert len(conversation.of(Failed)) == 1
    assert not conversation.of(Failed)[0].final
    assert conversation.protocol.over


def test_a_sign_of_life_names_the_session() -> None:
    conversation = watching(5)
    conversation.protocol.keep_alive()
    (request,) = conversation.protocol.take()
    assert request["janus"] == "keepalive"
    assert request["session_id"] == conversation.protocol.session


def test_a_server_too_old_to_offer_streams_is_told() -> None:
    conversation = Conversation(5)
    conversation.hear({"janus": "server_info", "version": 14, "transaction": "sidecar-1"})
    assert conversation.of(Failed)[0].final


def test_who_holds_a_place_without_sending_is_not_watched() -> None:
    conversation = watching()
    rows = [{"id": 5, "display": "Dummy", "publisher": True, "dummy": True}]
    conversation.protocol.round()
    (request,) = conversation.protocol.take()
    data = {"videoroom": "participants", "participants": rows}
    conversation.hear({"janus": "success", "plugindata": {"data": data}, **_transaction(request)})
    assert conversation.protocol.take() == []


def test_leaving_ends_the_session_and_nothing_else_is_said() -> None:
    conversation = watching(5)
    conversation.protocol.round()
    conversation.protocol.leave()
    (request,) = conversation.protocol.take()
    assert request["janus"] == "destroy"
    assert conversation.protocol.round() == []
    assert conversation.protocol.take() == []


def test_a_camera_that_is_off_is_looked_for_until_it_is_on() -> None:
    conversation = Conversation(5)
    answers = conversation.server.answers

    def dark(request: dict[str, Any]) -> list[str]:
        return [text.replace('"active": true', '"active": false') for text in answers(request)]

    conversation.server.answers = dark  # type: ignore[method-assign]
    conversation.exchange()
    conversation.rounds(20)
    assert conversation.of(Offered) == []
    assert conversation.of(Unwatchable) == []
    conversation.server.answers = answers  # type: ignore[method-assign]
    conversation.rounds(60)
    assert [event.feed for event in conversation.of(Offered)] == ["5"]
