"""Who is in another sidecar's room, as its server tells it."""

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.rooms.base import Consent
from sidecar.rooms.sidecar_room.address import is_room_url, parse_room_url
from sidecar.rooms.sidecar_room.protocol import (
    MAX_PARTICIPANTS,
    Event,
    ListedParticipant,
    ParticipantAdded,
    ParticipantChanged,
    ParticipantList,
    ParticipantRemoved,
)

ADA, BOB = (
    ListedParticipant("p-1", "Ada", Consent.OPT_IN),
    ListedParticipant("p-2", "Bob", Consent.OPT_OUT),
)


def changes(roster: ParticipantList, *people: ListedParticipant, skipped: str = "") -> list[Event]:
    entries = [
        {
            "participant": at.participant,
            "name": at.name,
            "opted_out": at.consent is Consent.OPT_OUT,
            "new": 1,
        }
        for at in people
    ]
    return heard(roster, ["event: participants", f"data: {json.dumps({'participants': entries})}"],
                 skipped)  # fmt: skip


def heard(roster: ParticipantList, lines: Iterable[str], skipped: str = "") -> list[Event]:
    return [event for line in [*lines, ""] for event in roster.receive(line, skipped)]


def test_people_come_change_and_go() -> None:
    roster = ParticipantList()
    assert changes(roster, ADA, BOB) == [ParticipantAdded(ADA), ParticipantAdded(BOB)]
    assert changes(roster, ADA, BOB) == []
    back = ListedParticipant("p-2", "Bob", Consent.OPT_IN)
    assert changes(roster, ADA, back) == [ParticipantChanged(back)]
    assert changes(roster, back) == [ParticipantRemoved("p-1")]


def test_we_are_not_among_those_we_watch() -> None:
    assert changes(ParticipantList(), ADA, BOB, skipped="p-1") == [ParticipantAdded(BOB)]


@pytest.mark.parametrize(
    "lines",
    [
        [": still here"],
        ["event: participants"],
        ["event: participants", "data: {"],
        ["event: participants", "data: []"],
        ["event: participants", 'data: {"participants": 1}'],
        ["event: weather", 'data: {"participants": []}'],
        ["retry: 2000"],
        ["event: participants", "data: " + "[" * 100_000],
    ],
)
def test_what_is_no_roster_changes_nothing(lines: list[str]) -> None:
    roster = ParticipantList()
    changes(roster, ADA)
    assert heard(roster, lines) == []
    assert changes(roster, ADA) == []


def test_malformed_participants_are_left_out_and_unclear_consent_is_an_opt_out() -> None:
    people = [1, {}, {"participant": "x" * 65}, {"participant": "p-3", "name": 7}]
    data = json.dumps({"participants": people})
    events = heard(ParticipantList(), ["event: participants", f"data: {data}"])
    assert events == [ParticipantAdded(ListedParticipant("p-3", "guest", Consent.OPT_OUT))]


def test_no_more_are_watched_than_there_are_tiles() -> None:
    crowd = [ListedParticipant(f"p-{number}", "x", Consent.OPT_IN) for number in range(100)]
    assert len(changes(ParticipantList(), *crowd)) == MAX_PARTICIPANTS


PEOPLE = st.lists(
    st.builds(ListedParticipant, st.sampled_from("abcd"), st.just("x"), st.sampled_from(Consent)),
    unique_by=lambda at: at.participant,
)


@given(st.lists(PEOPLE))
def test_the_changes_add_up_to_the_last_roster(rosters: list[list[ListedParticipant]]) -> None:
    roster = ParticipantList()
    present: dict[str, ListedParticipant] = {}
    for people in rosters:
        for event in changes(roster, *people):
            match event:
                case ParticipantAdded(person):
                    assert person.participant not in present
                    present[person.participant] = person
                case ParticipantChanged(person):
                    assert present[person.participant].consent is not person.consent
                    present[person.participant] = person
                case ParticipantRemoved(participant):
                    del present[participant]
    assert sorted(present) == sorted(at.participant for at in (rosters or [[]])[-1])


@given(
    st.lists(
        st.one_of(
            st.text(), st.text().map("data: {}".format), st.just("event: participants"), st.just("")
        )
    )
)
def test_no_line_breaks_it(lines: list[str]) -> None:
    roster = ParticipantList()
    heard(roster, lines)
    heard(roster, [""])
    assert changes(roster, ADA)[-1:] == [ParticipantAdded(ADA)]


@pytest.mark.parametrize(
    "url", ["https://h/rooms/a", "http://h:1/rooms/a-b_1/", "https://h/rooms/a?x=1#y"]
)
def test_a_rooms_address_is_recognised(url: str) -> None:
    assert is_room_url(url)
    assert parse_room_url(url).url.endswith(f"/rooms/{parse_room_url(url).name}")


@pytest.mark.parametrize(
    "url", ["https://h/room/a", "https://h/rooms/", "https://h/rooms/a/b", "ws://h/rooms/a", "[",
            "https://h/rooms/-a", "https:///rooms/a", "http://[/rooms/a", "/rooms/a"],
)  # fmt: skip
def test_nothing_else_is(url: str) -> None:
    assert not is_room_url(url)


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes no user"):
        parse_room_url("https://ada:hush@h/rooms/a")


def test_what_we_publish_wants_to_be_left_alone() -> None:
    address = parse_room_url("https://h/rooms/a").publish("RE & ACT")
    assert address == "https://h/rooms/a/whip?name=RE+%26+ACT&opted_out=1"
