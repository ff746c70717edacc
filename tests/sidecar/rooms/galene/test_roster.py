"""Names told apart, and wishes remembered."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.base import Consent
from sidecar.rooms.galene.roster import MAX_CLIENTS, Roster


def test_two_of_the_same_name_are_told_apart() -> None:
    roster = Roster()
    first = roster.put("a", "Ada", sidecar=False)
    second = roster.put("b", "Ada", sidecar=False)
    assert first is not None
    assert second is not None
    assert (first.participant, second.participant) == ("Ada", "Ada 2")
    assert first.name == second.name == "Ada"


def test_who_comes_back_is_the_same_participant() -> None:
    roster = Roster()
    before = roster.put("a", "Ada", sidecar=False)
    roster.remove("a")
    after = roster.put("another id", "Ada", sidecar=False)
    assert before == after


def test_a_change_of_permissions_changes_no_name() -> None:
    roster = Roster()
    roster.put("a", "Ada", sidecar=False)
    roster.put("b", "Ada", sidecar=False)
    roster.remove("a")
    again = roster.put("b", "Ada", sidecar=False)
    assert again is not None
    assert again.participant == "Ada 2"


def test_a_wish_outlives_a_reload() -> None:
    roster = Roster()
    roster.choose("Ada", Consent.OPT_OUT)
    ada, bob = roster.put("a", "Ada", sidecar=False), roster.put("b", "Bob", sidecar=False)
    assert ada is not None
    assert bob is not None
    assert roster.choice(ada) is Consent.OPT_OUT
    assert roster.choice(bob) is None


def test_those_without_a_name_have_one_here() -> None:
    found = Roster().put("a", "", sidecar=False)
    assert found is not None
    assert found.participant == found.name == "guest"


def test_there_is_a_limit() -> None:
    roster = Roster()
    for number in range(MAX_CLIENTS):
        assert roster.put(str(number), f"n{number}", sidecar=False)
    assert roster.put("one more", "Ada", sidecar=False) is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["Ada", "Bob", "Ada 2"]))))
def test_participants_are_always_distinct(steps: list[tuple[str, str]]) -> None:
    roster = Roster()
    for client, name in steps:
        roster.put(client, name, sidecar=False)
    found = [roster.find(client) for client in "abcd"]
    names = [client.participant for client in found if client is not None]
    assert len(set(names)) == len(names)
