"""Names for participants without one."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.display_names import distinct


def test_names_that_come_twice_get_a_number() -> None:
    assert distinct(["door", "yard", "door", "door"]) == ["door", "yard", "door 2", "door 3"]


@given(st.lists(st.sampled_from(["a", "a 2", "a 3", "b"])))
def test_no_two_are_the_same_and_none_is_lost(names: list[str]) -> None:
    result = distinct(names)
    assert len(set(result)) == len(names)
    assert all(new.startswith(old) for new, old in zip(result, names, strict=True))
