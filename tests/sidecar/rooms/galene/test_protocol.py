"""The client's side of the protocol: a recorded visit, and every way in which it may differ."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.sensitivity import Sensitivity
from sidecar.rooms.base import Consent, ConsentChanged, SensitivityChosen
from sidecar.rooms.events import (
    Answered,
    CandidateReceived,
    Closed,
    Entered,
    Offered,
    ParticipantsChanged,
    Redirected,
    Refused,
    Unpublished,
)
from sidecar.rooms.galene.protocol import (
    CONFIRMATIONS,
    LEVEL_CONFIRMATION,
    MARK,
    NOTICE,
    GaleneEvent,
    GaleneProtocol,
    MembershipState,
    ServerWarning,
    StreamWithheld,
)
from sidecar.rooms.galene.url import GroupCredentials
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


def protocol(credentials: GroupCredentials | None = None) -> GaleneProtocol:
    """One that has asked to join, as the recorded one did."""
    client = GaleneProtocol(US, "room", credentials or GroupCredentials("Reactions (sidecar)"))
    client.join()
    return client


def receive(client: GaleneProtocol, *messages: dict[str, Any]) -> list[GaleneEvent]:
    return [event for message in messages for event in client.receive(json.dumps(message))]


def joined(**changes: Any) -> GaleneProtocol:
    """One that is in the group, with Ada."""
    client = protocol()
    receive(client, JOINED | changes, user(ADA, "Ada"))
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
        events += receive(client, message)
    assert [
        type(event)
        for event in events
        if not isinstance(event, ParticipantsChanged | CandidateReceived | StreamWithheld)
    ] == [
        Entered,
        ConsentChanged,
        Offered,
        Answered,
        Offered,
        ConsentChanged,
        Closed,
        Refused,
    ]
    consents = [event for event in events if isinstance(event, ConsentChanged)]
    assert [(event.participant, event.consent) for event in consents] == [
        ("Ada", Consent.OPT_IN),
        ("Bob", Consent.OPT_OUT),
    ]
    streams = {event.stream for event in events if isinstance(event, CandidateReceived)}
    assert streams == {OURS, *(event.stream for event in events if isinstance(event, Offered))}
    assert client.state is MembershipState.LEFT


def test_joining_begins_with_a_handshake_and_an_honest_name() -> None:
    handshake, join = sent(protocol())
    assert handshake == {"type": "handshake", "version": ["2"], "id": US}
    assert join["username"] == "Reactions (sidecar)"
    assert join["data"] == {MARK: True}


def test_a_client_that_joined_requests_low_layers_of_cameras_alone() -> None:
    client = protocol()
    client.outgoing()
    receive(client, JOINED)
    request, ping = sent(client)
    assert ping == {"type": "ping"}
    assert request["request"] == {"": ["video-low"], "screenshare": [], "video": []}


def test_the_servers_turn_servers_are_reported() -> None:
    configuration = {"iceServers": [{"urls": ["turn:h"], "username": "u", "credential": "c"}]}
    (entered,) = receive(protocol(), JOINED | {"rtcConfiguration": configuration})
    assert isinstance(entered, Entered)
    assert entered.ice_servers[0].urls == ["turn:h"]
    assert "turn:h" not in repr(entered)


def test_a_change_of_permissions_is_reported() -> None:
    (entered,) = receive(joined(), JOINED | {"kind": "change", "permissions": []})
    assert isinstance(entered, Entered)
    assert not entered.may_publish


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
    (refused,) = receive(client, {"type": "joined", "kind": "fail", **answer})
    assert isinstance(refused, Refused)
    assert refused.final is final
    assert hint in refused.do
    assert client.state is MembershipState.LEFT


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
    (refused,) = receive(protocol(), REFUSALS[reason])
    assert isinstance(refused, Refused)
    assert refused.final is final
    assert hint in refused.do
    assert REFUSALS[reason]["value"] in refused.what


@pytest.mark.parametrize(
    ("credentials", "hint"),
    [
        (GroupCredentials("Ada", password="x"), "check GALENE_USERNAME"),
        (GroupCredentials("Ada", token="x"), "invitation"),
    ],
)
def test_the_advice_fits_the_credentials(credentials: GroupCredentials, hint: str) -> None:
    answer = {"type": "joined", "kind": "fail", "value": "not authorised"}
    (refused,) = receive(protocol(credentials), answer)
    assert isinstance(refused, Refused)
    assert hint in refused.do


def test_a_kick_is_final_and_a_server_shutting_down_is_not() -> None:
    kicked = {"type": "usermessage", "kind": "kicked", "privileged": True, "value": "bye"}
    (by_operator,) = receive(joined(), kicked | {"id": "op", "username": "op"})
    (by_the_server,) = receive(joined(), kicked)
    assert isinstance(by_operator, Refused)
    assert isinstance(by_the_server, Refused)
    assert by_operator.final
    assert "by op: bye" in by_operator.what
    assert not by_the_server.final


@pytest.mark.parametrize("fields", [{}, {"privileged": True, "source": ADA}])
def test_only_the_server_can_put_us_out(fields: dict[str, Any]) -> None:
    client = joined()
    assert not receive(client, {"type": "usermessage", "kind": "kicked", **fields})
    assert client.state is MembershipState.JOINED


def test_a_redirect_is_reported_before_we_are_in() -> None:
    client = protocol()
    moved = {"type": "joined", "kind": "redirect", "value": "https://h/group/x/"}
    assert receive(client, moved) == [Redirected("https://h/group/x/")]


def test_an_unknown_version_is_refused() -> None:
    (refused,) = receive(protocol(), {"type": "handshake", "version": ["3"]})
    assert isinstance(refused, Refused)
    assert refused.final


def test_a_ping_is_answered() -> None:
    client = joined()
    receive(client, {"type": "ping"})
    assert sent(client) == [{"type": "pong"}]


def test_a_camera_is_offered_answered_and_closed() -> None:
    client = joined()
    (offered,) = receive(client, OFFER)
    assert offered == Offered(OFFER["id"], OFFER["sdp"], "Ada", "Ada")
    client.answer(OFFER["id"], "v=0")
    assert sent(client) == [{"type": "answer", "id": OFFER["id"], "sdp": "v=0"}]
    assert receive(client, {"type": "close", "id": OFFER["id"]}) == [Closed(OFFER["id"])]
    client.answer(OFFER["id"], "v=0")
    assert not sent(client)


def test_candidates_that_come_before_their_offer_are_kept_for_it() -> None:
    client = joined()
    assert not receive(client, ICE, ICE)
    offered, first, second = receive(client, OFFER)
    assert isinstance(offered, Offered)
    assert isinstance(first, CandidateReceived)
    assert first == second == CandidateReceived(OFFER["id"], first.candidate)


def test_a_replaced_stream_is_reported_with_its_replacement() -> None:
    client = joined()
    receive(client, OFFER)
    (offered,) = receive(client, OFFER | {"id": "new", "replace": OFFER["id"]})
    assert isinstance(offered, Offered)
    assert (offered.replaces, offered.participant) == (OFFER["id"], "Ada")
    assert not [
        e for e in receive(client, {"type": "close", "id": OFFER["id"]}) if type(e) is Closed
    ]


@pytest.mark.parametrize("label", ["screenshare", "video"])
def test_a_stream_that_shows_no_person_is_aborted(label: str) -> None:
    client = joined()
    assert not receive(client, OFFER | {"label": label})
    assert sent(client) == [{"type": "abort", "id": OFFER["id"]}]
    assert not receive(client, {"type": "close", "id": OFFER["id"]})


def test_neither_our_own_nor_another_sidecars_stream_is_a_camera() -> None:
    client = joined()
    receive(client, user(US, "Reactions (sidecar)"), user("other", "Watcher", data={MARK: True}))
    receive(client, user("by WHIP", "Reactions (sidecar)"))
    for source in (US, "other", "by WHIP"):
        assert not receive(client, OFFER | {"source": source})
    assert [message["type"] for message in sent(client)] == ["abort", "abort", "abort"]


def test_a_client_who_turns_out_to_be_a_sidecar_loses_its_tile() -> None:
    client = joined()
    receive(client, OFFER)
    assert receive(client, user(ADA, "Ada", "change", data={MARK: True})) == [Closed(OFFER["id"])]


def test_an_offer_may_come_before_its_owner_is_listed() -> None:
    client = joined()
    (offered,) = receive(client, OFFER | {"source": "bob", "username": "Bob"})
    assert isinstance(offered, Offered)
    assert offered.participant == "Bob"


def test_the_cameras_of_a_client_that_leaves_are_closed() -> None:
    client = joined()
    receive(client, OFFER)
    assert receive(client, user(ADA, "Ada", "delete")) == [Closed(OFFER["id"])]


def test_a_stream_without_a_picture_yet_is_reported() -> None:
    assert receive(joined(), {"type": "close", "id": "x"}) == [StreamWithheld("x")]


def test_our_own_stream_is_offered_as_a_camera_and_closed_on_leaving() -> None:
    client = joined()
    client.offer(OURS, "v=0")
    (offer,) = sent(client)
    assert (offer["label"], offer["source"], offer["id"]) == ("camera", US, OURS)
    assert receive(client, {"type": "answer", "id": OURS, "sdp": "v=0"}) == [Answered(OURS, "v=0")]
    assert receive(client, {"type": "renegotiate", "id": OURS}) == [Unpublished(OURS)]
    client.leave()
    assert [message["type"] for message in sent(client)] == ["close", "join"]


def test_a_stream_that_the_server_gave_up_is_not_closed_again() -> None:
    client = joined()
    client.offer(OURS, "v=0")
    assert receive(client, {"type": "abort", "id": OURS}) == [Unpublished(OURS)]
    client.outgoing()
    client.withdraw(OURS)
    assert not sent(client)


def test_a_layer_is_requested_by_stream() -> None:
    client = joined()
    receive(client, OFFER)
    client.request_layer(OFFER["id"], low=False)
    client.request_layer("unknown", low=False)
    assert sent(client) == [{"type": "requestStream", "id": OFFER["id"], "request": ["video"]}]


def test_a_choice_of_sensitivity_in_the_chat_is_confirmed_in_private() -> None:
    client = joined()
    chosen = SensitivityChosen("Ada", Sensitivity.CALM)
    assert receive(client, chat("!reactions calm")) == [chosen]
    (answer,) = sent(client)
    assert (answer["dest"], answer["value"]) == (ADA, LEVEL_CONFIRMATION.format("calm"))


def test_a_command_in_the_chat_is_confirmed_in_private() -> None:
    client = joined()
    assert receive(client, chat("!reactions off")) == [ConsentChanged("Ada", Consent.OPT_OUT)]
    (answer,) = sent(client)
    assert (answer["dest"], answer["value"], answer["source"]) == (
        ADA,
        CONFIRMATIONS[Consent.OPT_OUT],
        US,
    )


@pytest.mark.parametrize(
    "message",
    [
        chat("!reactions off", kind="me"),
        chat("!reactions off", kind="caption"),
        chat("please: !reactions off"),
        chat(["!reactions off"]),
        chat("!reactions off", source="unknown"),
        chat("!reactions off", source=US),
    ],
)
def test_other_chat_messages_are_ignored(message: dict[str, Any]) -> None:
    client = joined()
    receive(client, user(US, "Reactions (sidecar)"))
    assert not receive(client, message)


def test_commands_in_the_chat_history_count() -> None:
    client = protocol()
    history = chat("!reactions off") | {"type": "chathistory"}
    receive(client, JOINED)
    assert not receive(client, history)
    assert receive(client, user(ADA, "Ada")) == [ConsentChanged("Ada", Consent.OPT_OUT)]


def test_participants_who_join_after_us_are_reported() -> None:
    client = protocol()
    assert not receive(client, JOINED, user(ADA, "Ada"))[1:]
    receive(client, {"type": "pong"})
    assert not receive(client, user(ADA, "Ada", "change"))
    assert receive(client, user("bob", "Bob")) == [ParticipantsChanged(joined=("Bob",))]


def test_our_stream_may_replace_another() -> None:
    client = joined()
    client.offer("old", "v=0")
    client.offer("new", "v=0", replaces="old")
    assert [message.get("replace") for message in sent(client)] == [None, "old"]
    assert not receive(client, {"type": "abort", "id": "old"})


def test_an_opt_out_outlives_a_reload() -> None:
    client = joined()
    receive(client, chat("!reactions off"), user(ADA, "Ada", "delete"))
    assert receive(client, user("new", "Ada")) == [ConsentChanged("Ada", Consent.OPT_OUT)]


def test_the_notice_is_written_once_also_across_rejoining() -> None:
    client = joined()
    client.notify()
    client.notify()
    assert [message["value"] for message in sent(client)] == [NOTICE]

    client = joined()
    receive(client, chat(NOTICE) | {"type": "chathistory"})
    client.notify()
    assert not sent(client)


def test_nothing_is_written_without_the_permission() -> None:
    client = joined(permissions=["present"])
    client.notify()
    receive(client, chat("!reactions off"))
    client.announce({"kind": "reaction.started"})
    assert not sent(client)


def test_reactions_are_sent_to_programs_as_user_messages() -> None:
    client = joined()
    client.announce({"kind": "reaction.started"})
    (message,) = sent(client)
    assert (message["type"], message["kind"]) == ("usermessage", MARK)


def test_errors_of_the_server_are_reported() -> None:
    error = {"type": "usermessage", "kind": "error", "privileged": True, "value": "not authorised"}
    assert receive(joined(), error) == [ServerWarning("not authorised")]


def test_messages_after_the_end_are_ignored() -> None:
    client = joined()
    client.leave()
    assert not receive(client, *HEARD)


def test_a_second_camera_of_a_participant_is_a_tile_of_its_own() -> None:
    client = joined()
    first, second = receive(client, OFFER, OFFER | {"id": "second"})
    assert isinstance(first, Offered)
    assert isinstance(second, Offered)
    assert (first.participant, second.participant) == ("Ada", "Ada (2)")
    assert first.name == second.name == "Ada"


def test_an_opt_out_holds_for_all_cameras_of_a_participant() -> None:
    client = joined()
    receive(client, OFFER, OFFER | {"id": "second"})
    assert receive(client, chat("!reactions off")) == [
        ConsentChanged("Ada", Consent.OPT_OUT),
        ConsentChanged("Ada (2)", Consent.OPT_OUT),
    ]
    consent, offered = receive(client, OFFER | {"id": "third"})
    assert consent == ConsentChanged("Ada (3)", Consent.OPT_OUT)
    assert isinstance(offered, Offered)


def test_a_new_description_of_a_stream_keeps_its_tile() -> None:
    client = joined()
    *_, again = receive(client, OFFER, OFFER | {"id": "second"}, OFFER | {"id": "second"})
    assert isinstance(again, Offered)
    assert again.participant == "Ada (2)"


def altered(message: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """``message`` with fields left out, of other types, or unknown."""
    others = st.fixed_dictionaries({}, optional=dict.fromkeys([*message, "unknown"], JSON))
    kept = st.sets(st.sampled_from(sorted(message)))
    return st.builds(
        lambda other, gone: {k: v for k, v in (message | other).items() if k not in gone},
        others,
        kept,
    )


MESSAGES = st.sampled_from(HEARD) | st.sampled_from(HEARD).flatmap(altered)
TEXTS = st.text() | JSON.map(json.dumps) | MESSAGES.map(json.dumps)


@given(st.lists(TEXTS, max_size=40))
@settings(max_examples=100)
def test_no_message_breaks_the_protocol(texts: list[str]) -> None:
    client = protocol()
    client.offer(OURS, "v=0")
    for text in texts:
        client.receive(text)
        for message in client.outgoing():
            json.loads(message)
    client.notify()
    client.request_cameras()
    client.leave()


@given(st.lists(TEXTS, max_size=30))
@settings(max_examples=100)
def test_no_garbage_hides_a_later_camera(texts: list[str]) -> None:
    client = joined()
    for text in texts:
        client.receive(text)
    if client.state is MembershipState.JOINED:
        carol = OFFER | {"id": "fresh", "source": "carol", "username": "Carol"}
        events = receive(client, user("carol", "Carol", data={}), carol)
        assert any(isinstance(event, Offered) and event.stream == "fresh" for event in events)


@given(st.permutations(HEARD[:-1]))
@settings(max_examples=100)
def test_in_any_order_and_twice_each_stream_is_open_once_at_most(
    order: list[dict[str, Any]],
) -> None:
    client = protocol()
    receive(client, JOINED)
    live: set[str] = set()
    for event in receive(client, *order, *order):
        match event:
            case Offered():
                live.add(event.stream)
            case Closed():
                assert event.stream in live
                live.discard(event.stream)
    assert client.state is MembershipState.JOINED
