"""Who is in a group: names, and what outlasts a reload."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.base import Consent
from sidecar.rooms.galene.roster import MAX_CLIENTS, GroupRoster


def test_two_of_the_same_name_are_numbered() -> None:
    roster = GroupRoster()
    first = roster.put("a", "Ada", sidecar=False)
    second = roster.put("b", "Ada", sidecar=False)
    assert first is not None
    assert second is not None
    assert (first.participant, second.participant) == ("Ada", "Ada 2")
    assert first.name == second.name == "Ada"


def test_a_client_that_comes_back_is_the_same_participant() -> None:
    roster = GroupRoster()
    before = roster.put("a", "Ada", sidecar=False)
    roster.remove("a")
    after = roster.put("another id", "Ada", sidecar=False)
    assert before == after


def test_a_change_of_permissions_changes_no_name() -> None:
    roster = GroupRoster()
    roster.put("a", "Ada", sidecar=False)
    roster.put("b", "Ada", sidecar=False)
    roster.remove("a")
    again = roster.put("b", "Ada", sidecar=False)
    assert again is not None
    assert again.participant == "Ada 2"


def test_a_consent_outlives_a_reload() -> None:
    roster = GroupRoster()
    roster.set_consent("Ada", Consent.OPT_OUT)
    ada, bob = roster.put("a", "Ada", sidecar=False), roster.put("b", "Bob", sidecar=False)
    assert ada is not None
    assert bob is not None
    assert roster.consent(ada) is Consent.OPT_OUT
    assert roster.consent(bob) is None


def test_clients_without_a_name_get_one() -> None:
    found = GroupRoster().put("a", "", sidecar=False)
    assert found is not None
    assert found.participant == found.name == "guest"


def test_the_number_of_members_is_limited() -> None:
    roster = GroupRoster()
    for number in range(MAX_CLIENTS):
        assert roster.put(str(number), f"n{number}", sidecar=False)
    assert roster.put("one more", "Ada", sidecar=False) is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["Ada", "Bob", "Ada 2"]))))
def test_participants_are_always_distinct(steps: list[tuple[str, str]]) -> None:
    roster = GroupRoster()
    for client, name in steps:
        roster.put(client, name, sidecar=False)
    found = [roster.find(client) for client in "abcd"]
    names = [client.participant for client in found if client is not None]
    assert len(set(names)) == len(names)
