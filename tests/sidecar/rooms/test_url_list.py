"""Several addresses in one argument."""

import re

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.url_list import split

BEGINS = re.compile("x:")


def test_a_comma_or_a_blank_separates_where_another_address_follows() -> None:
    assert split(" x:1,2 3, x:4\n\tx:5 ,x:6, ", BEGINS) == ["x:1,2 3", "x:4", "x:5", "x:6"]


def test_a_text_without_any_is_one() -> None:
    assert split("a, b", BEGINS) == ["a, b"]


@given(st.lists(st.text("ab/?=").map("x:{}".format), min_size=1), st.sampled_from([",", ", ", " "]))
def test_what_is_joined_is_split_again(addresses: list[str], between: str) -> None:
    assert split(between.join(addresses), BEGINS) == addresses
