"""The client's side of the protocol: a recorded visit, and everything that could go wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.rooms.base import Consent
from sidecar.rooms.galene.credentials import Credentials
from sidecar.rooms.galene.events import (
    Answered,
    Arrived,
    Chose,
    Closed,
    Complaint,
    Entered,
    Event,
    Lost,
    Moved,
    Offered,
    Refused,
    Trickled,
    Withheld,
)
from sidecar.rooms.galene.protocol import LEFT_ALONE, MARK, NOTICE, GaleneProtocol, State
from tests.sidecar.rooms.galene.test_messages import JSON

VISIT = [
    json.loads(line)
    for line in Path(__file__).with_name("visit.jsonl").read_text("utf-8").splitlines()
]
REFUSALS = json.loads(Path(__file__).with_name("refusals.json").read_text("utf-8"))
US = next(line["message"]["id"] for line in VISIT if line["from"] == "us")
OURS = next(
    line["message"]["id"]
    for line in VISIT
    if line["from"] == "us" and line["message"]["type"] == "offer"
)
HEARD = [line["message"] for line in VISIT if line["from"] == "server"]
OFFER = next(message for message in HEARD if message["type"] == "offer")
JOINED = next(message for message in HEARD if message["type"] == "joined")
ICE = next(message for message in HEARD if message["type"] == "ice")
ADA = OFFER["source"]


def protocol(credentials: Credentials | None = None) -> GaleneProtocol:
    """One that has asked to join, as the recorded one did."""
    client = GaleneProtocol(US, "room", credentials or Credentials("Reactions (sidecar)"))
    client.join()
    return client


def hear(client: GaleneProtocol, *messages: dict[str, Any]) -> list[Event]:
    return [event for message in messages for event in client.receive(json.dumps(message))]


def joined(**changes: Any) -> GaleneProtocol:
    """One that is in the group, with Ada."""
    client = protocol()
    hear(client, JOINED | changes, user(ADA, "Ada"))
    client.outgoing()
    return client


def user(client: str, name: str, kind: str = "add", **fields: Any) -> dict[str, Any]:
    return {"type": "user", "kind": kind, "id": client, "username": name, **fields}


def chat(text: object, source: str = ADA, **fields: Any) -> dict[str, Any]:
    return {"type": "chat", "source": source, "username": "Ada", "value": text, **fields}


def sent(client: GaleneProtocol) -> list[dict[str, Any]]:
    return [json.loads(text) for text in client.outgoing()]


def test_a_recorded_visit_is_understood() -> None:
    client = protocol()
    events = []
    for message in HEARD:
        if message["type"] == "answer":
            client.offer(OURS, "v=0")
        events += hear(client, message)
    assert [
        type(event) for event in events if not isinstance(event, Arrived | Trickled | Withheld)
    ] == [
        Entered,
        Chose,
        Offered,
        Answered,
        Offered,
        Chose,
        Closed,
        Refused,
    ]
    chose = [event for event in events if isinstance(event, Chose)]
    assert [(event.participant, event.consent) for event in chose] == [
        ("Ada", Consent.OPT_IN),
        ("Bob", Consent.OPT_OUT),
    ]
    streams = {event.stream for event in events if isinstance(event, Trickled)}
    assert streams == {OURS, *(event.stream for event in events if isinstance(event, Offered))}
    assert client.state is State.OVER


def test_joining_begins_with_a_handshake_and_an_honest_name() -> None:
    handshake, join = sent(protocol())
    assert handshake == {"type": "handshake", "version": ["2"], "id": US}
    assert join["username"] == "Reactions (sidecar)"
    assert join["data"] == {MARK: True}


def test_who_is_let_in_asks_for_low_layers_of_cameras_alone() -> None:
    client = protocol()
    client.outgoing()
    hear(client, JOINED)
    request, ping = sent(client)
    assert ping == {"type": "ping"}
    assert request["request"] == {"": ["video-low"], "screenshare": [], "video": []}


def test_the_servers_turn_servers_are_told() -> None:
    configuration = {"iceServers": [{"urls": ["turn:h"], "username": "u", "credential": "c"}]}
    (entered,) = hear(protocol(), JOINED | {"rtcConfiguration": configuration})
    assert isinstance(entered, Entered)
    assert entered.ice_servers[0].urls == ["turn:h"]
    assert "turn:h" not in repr(entered)


def test_a_change_of_permissions_is_told() -> None:
    (entered,) = hear(joined(), JOINED | {"kind": "change", "permissions": []})
    assert isinstance(entered, Entered)
    assert not entered.may_present


@pytest.mark.parametrize(
    ("answer", "final", "hint"),
    [
        ({"value": "not authorised"}, True, "GALENE_USERNAME"),
        ({"error": "not-authorised", "value": "no"}, True, "GALENE_USERNAME"),
        ({"error": "need-username", "value": "username required"}, True, "--as"),
        ({"error": "duplicate-username", "value": "taken"}, True, "--as"),
        ({"value": "group does not exist"}, True, "name"),
        ({"value": "closed for today"}, True, "operator"),
        ({"value": "too many users"}, False, "later"),
        ({"value": "internal server error"}, False, "later"),
        ({}, True, "operator"),
        ({"value": 3, "error": []}, True, "operator"),
    ],
)
def test_a_refusal_says_what_to_do(answer: dict[str, Any], final: bool, hint: str) -> None:
    client = protocol()
    (refused,) = hear(client, {"type": "joined", "kind": "fail", **answer})
    assert isinstance(refused, Refused)
    assert refused.final is final
    assert hint in refused.do
    assert client.state is State.OVER


@pytest.mark.parametrize(
    ("reason", "final", "hint"),
    [
        ("wrong password", True, "GALENE_PASSWORD"),
        ("wrong token", True, "GALENE_PASSWORD"),
        ("full", False, "later"),
        ("same client", False, "later"),
        ("token without a name", True, "--as"),
        ("locked", True, "operator"),
    ],
)
def test_a_recorded_refusal_says_what_to_do(reason: str, final: bool, hint: str) -> None:
    (refused,) = hear(protocol(), REFUSALS[reason])
    assert isinstance(refused, Refused)
    assert refused.final is final
    assert hint in refused.do
    assert REFUSALS[reason]["value"] in refused.what


@pytest.mark.parametrize(
    ("credentials", "hint"),
    [
        (Credentials("Ada", password="x"), "check GALENE_USERNAME"),
        (Credentials("Ada", token="x"), "invitation"),
    ],
)
def test_what_was_tried_shapes_the_advice(credentials: Credentials, hint: str) -> None:
    answer = {"type": "joined", "kind": "fail", "value": "not authorised"}
    (refused,) = hear(protocol(credentials), answer)
    assert isinstance(refused, Refused)
    assert hint in refused.do


def test_a_person_puts_us_out_for_good_and_a_server_going_down_does_not() -> None:
    kicked = {"type": "usermessage", "kind": "kicked", "privileged": True, "value": "bye"}
    (by_somebody,) = hear(joined(), kicked | {"id": "op", "username": "op"})
    (by_the_server,) = hear(joined(), kicked)
    assert isinstance(by_somebody, Refused)
    assert isinstance(by_the_server, Refused)
    assert by_somebody.final
    assert "by op: bye" in by_somebody.what
    assert not by_the_server.final


@pytest.mark.parametrize("fields", [{}, {"privileged": True, "source": ADA}])
def test_nobody_but_the_server_can_put_us_out(fields: dict[str, Any]) -> None:
    client = joined()
    assert not hear(client, {"type": "usermessage", "kind": "kicked", **fields})
    assert client.state is State.JOINED


def test_a_redirect_is_told_before_we_are_in() -> None:
    client = protocol()
    moved = {"type": "joined", "kind": "redirect", "value": "https://h/group/x/"}
    assert hear(client, moved) == [Moved("https://h/group/x/")]


def test_an_unknown_version_is_refused() -> None:
    (refused,) = hear(protocol(), {"type": "handshake", "version": ["3"]})
    assert isinstance(refused, Refused)
    assert refused.final


def test_a_ping_is_answered() -> None:
    client = joined()
    hear(client, {"type": "ping"})
    assert sent(client) == [{"type": "pong"}]


def test_a_camera_is_offered_answered_and_closed() -> None:
    client = joined()
    (offered,) = hear(client, OFFER)
    assert offered == Offered(OFFER["id"], "Ada", "Ada", OFFER["sdp"])
    client.streams.answer(OFFER["id"], "v=0")
    assert sent(client) == [{"type": "answer", "id": OFFER["id"], "sdp": "v=0"}]
    assert hear(client, {"type": "close", "id": OFFER["id"]}) == [Closed(OFFER["id"])]
    client.streams.answer(OFFER["id"], "v=0")
    assert not sent(client)


def test_candidates_that_come_before_their_offer_are_kept_for_it() -> None:
    client = joined()
    assert not hear(client, ICE, ICE)
    offered, first, second = hear(client, OFFER)
    assert isinstance(offered, Offered)
    assert isinstance(first, Trickled)
    assert first == second == Trickled(OFFER["id"], first.candidate)


def test_a_stream_that_takes_anothers_place_is_told_with_it() -> None:
    client = joined()
    hear(client, OFFER)
    (offered,) = hear(client, OFFER | {"id": "new", "replace": OFFER["id"]})
    assert isinstance(offered, Offered)
    assert offered.replaces == OFFER["id"]
    assert not [e for e in hear(client, {"type": "close", "id": OFFER["id"]}) if type(e) is Closed]


@pytest.mark.parametrize("label", ["screenshare", "video"])
def test_a_stream_that_shows_no_person_is_sent_back(label: str) -> None:
    client = joined()
    assert not hear(client, OFFER | {"label": label})
    assert sent(client) == [{"type": "abort", "id": OFFER["id"]}]
    assert not hear(client, {"type": "close", "id": OFFER["id"]})


def test_neither_our_own_nor_another_sidecars_stream_is_a_camera() -> None:
    client = joined()
    hear(client, user(US, "Reactions (sidecar)"), user("other", "Watcher", data={MARK: True}))
    hear(client, user("by WHIP", "Reactions (sidecar)"))
    for source in (US, "other", "by WHIP"):
        assert not hear(client, OFFER | {"source": source})
    assert [message["type"] for message in sent(client)] == ["abort", "abort", "abort"]


def test_a_client_who_turns_out_to_be_a_sidecar_loses_its_tile() -> None:
    client = joined()
    hear(client, OFFER)
    assert hear(client, user(ADA, "Ada", "change", data={MARK: True})) == [Closed(OFFER["id"])]


def test_an_offer_may_come_before_its_owner_is_listed() -> None:
    client = joined()
    (offered,) = hear(client, OFFER | {"source": "bob", "username": "Bob"})
    assert isinstance(offered, Offered)
    assert offered.participant == "Bob"


def test_who_leaves_takes_their_cameras_along() -> None:
    client = joined()
    hear(client, OFFER)
    assert hear(client, user(ADA, "Ada", "delete")) == [Closed(OFFER["id"])]


def test_a_stream_without_a_picture_yet_is_told() -> None:
    assert hear(joined(), {"type": "close", "id": "x"}) == [Withheld("x")]


def test_our_own_stream_is_offered_as_a_camera_and_taken_away() -> None:
    client = joined()
    client.offer(OURS, "v=0")
    (offer,) = sent(client)
    assert (offer["label"], offer["source"], offer["id"]) == ("camera", US, OURS)
    assert hear(client, {"type": "answer", "id": OURS, "sdp": "v=0"}) == [Answered(OURS, "v=0")]
    assert hear(client, {"type": "renegotiate", "id": OURS}) == [Lost(OURS)]
    client.leave()
    assert [message["type"] for message in sent(client)] == ["close", "join"]


def test_a_stream_that_the_server_gave_up_is_not_closed_again() -> None:
    client = joined()
    client.offer(OURS, "v=0")
    assert hear(client, {"type": "abort", "id": OURS}) == [Lost(OURS)]
    client.outgoing()
    client.streams.withdraw(OURS)
    assert not sent(client)


def test_a_layer_is_asked_for_by_stream() -> None:
    client = joined()
    hear(client, OFFER)
    client.streams.ask_layer(OFFER["id"], low=False)
    client.streams.ask_layer("unknown", low=False)
    assert sent(client) == [{"type": "requestStream", "id": OFFER["id"], "request": ["video"]}]


def test_a_command_in_the_chat_is_heard_and_confirmed_in_private() -> None:
    client = joined()
    assert hear(client, chat("!reactions off")) == [Chose("Ada", Consent.OPT_OUT, asked_by=ADA)]
    client.confirm(ADA, Consent.OPT_OUT)
    (answer,) = sent(client)
    assert (answer["dest"], answer["value"], answer["source"]) == (ADA, LEFT_ALONE, US)


@pytest.mark.parametrize(
    "message",
    [
        chat("!reactions off", kind="me"),
        chat("!reactions off", kind="caption"),
        chat("please: !reactions off"),
        chat(["!reactions off"]),
        chat("!reactions off", source="nobody"),
        chat("!reactions off", source=US),
    ],
)
def test_other_talk_is_none_of_our_business(message: dict[str, Any]) -> None:
    client = joined()
    hear(client, user(US, "Reactions (sidecar)"))
    assert not hear(client, message)


def test_what_was_said_before_we_came_counts() -> None:
    client = protocol()
    history = chat("!reactions off") | {"type": "chathistory"}
    hear(client, JOINED)
    assert not hear(client, history)
    assert hear(client, user(ADA, "Ada")) == [Chose("Ada", Consent.OPT_OUT)]


def test_those_who_come_after_us_are_told_from_those_who_were_there() -> None:
    client = protocol()
    assert not hear(client, JOINED, user(ADA, "Ada"))[1:]
    hear(client, {"type": "pong"})
    assert not hear(client, user(ADA, "Ada", "change"))
    assert hear(client, user("bob", "Bob")) == [Arrived("Bob")]


def test_our_stream_may_take_the_place_of_another() -> None:
    client = joined()
    client.offer("old", "v=0")
    client.offer("new", "v=0", replaces="old")
    assert [message.get("replace") for message in sent(client)] == [None, "old"]
    assert not hear(client, {"type": "abort", "id": "old"})


def test_an_opt_out_outlives_a_reload() -> None:
    client = joined()
    hear(client, chat("!reactions off"), user(ADA, "Ada", "delete"))
    assert hear(client, user("new", "Ada")) == [Chose("Ada", Consent.OPT_OUT)]


def test_the_notice_is_written_once_also_across_rejoining() -> None:
    client = joined()
    client.notify()
    client.notify()
    assert [message["value"] for message in sent(client)] == [NOTICE]

    client = joined()
    hear(client, chat(NOTICE) | {"type": "chathistory"})
    client.notify()
    assert not sent(client)


def test_nothing_is_said_without_the_permission() -> None:
    client = joined(permissions=["present"])
    client.notify()
    client.confirm(ADA, Consent.OPT_OUT)
    client.announce({"kind": "reaction.started"})
    assert not sent(client)


def test_reactions_are_told_to_programs_as_user_messages() -> None:
    client = joined()
    client.announce({"kind": "reaction.started"})
    (message,) = sent(client)
    assert (message["type"], message["kind"]) == ("usermessage", MARK)


def test_the_servers_complaints_are_told() -> None:
    error = {"type": "usermessage", "kind": "error", "privileged": True, "value": "not authorised"}
    assert hear(joined(), error) == [Complaint("not authorised")]


def test_nothing_is_heard_after_the_end() -> None:
    client = joined()
    client.leave()
    assert not hear(client, *HEARD)


def spoilt(message: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """``message`` with fields left out, of other types, or unknown."""
    others = st.fixed_dictionaries({}, optional=dict.fromkeys([*message, "unknown"], JSON))
    kept = st.sets(st.sampled_from(sorted(message)))
    return st.builds(
        lambda other, gone: {k: v for k, v in (message | other).items() if k not in gone},
        others,
        kept,
    )


MESSAGES = st.sampled_from(HEARD) | st.sampled_from(HEARD).flatmap(spoilt)
TEXTS = st.text() | JSON.map(json.dumps) | MESSAGES.map(json.dumps)


@given(st.lists(TEXTS, max_size=40))
@settings(max_examples=100)
def test_nothing_that_a_server_says_breaks_us(texts: list[str]) -> None:
    client = protocol()
    client.offer(OURS, "v=0")
    for text in texts:
        client.receive(text)
        for message in client.outgoing():
            json.loads(message)
    client.notify()
    client.ask()
    client.leave()


@given(st.lists(TEXTS, max_size=30))
@settings(max_examples=100)
def test_no_nonsense_keeps_a_later_camera_away(texts: list[str]) -> None:
    client = joined()
    for text in texts:
        client.receive(text)
    if client.state is State.JOINED:
        carol = OFFER | {"id": "fresh", "source": "carol", "username": "Carol"}
        events = hear(client, user("carol", "Carol", data={}), carol)
        assert any(isinstance(event, Offered) and event.stream == "fresh" for event in events)


@given(st.permutations(HEARD[:-1]))
@settings(max_examples=100)
def test_in_any_order_and_twice_everybody_is_seen_once_at_most(order: list[dict[str, Any]]) -> None:
    client = protocol()
    hear(client, JOINED)
    live: set[str] = set()
    for event in hear(client, *order, *order):
        match event:
            case Offered():
                live.add(event.stream)
            case Closed():
                assert event.stream in live
                live.discard(event.stream)
    assert client.state is State.JOINED
