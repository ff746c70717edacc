"""Settings of several sources, merged."""

from hypothesis import given
from hypothesis import strategies as st

from config.sources import Source, locate, merge_sources, option

NAMES = st.sampled_from(["a", "b", "c"])
LAYERS = st.lists(
    st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(), max_size=3), max_size=3)
)


@given(LAYERS)
def test_last_layer_that_has_a_key_gives_its_value_and_its_origin(
    tables: list[dict[str, dict[str, int]]],
) -> None:
    values, origins = merge_sources(Source(str(n), table) for n, table in enumerate(tables))
    expected = {
        f"{section}.{key}": (value, str(n))
        for n, table in enumerate(tables)
        for section, keys in table.items()
        for key, value in keys.items()
    }
    merged = {f"{s}.{key}": value for s, keys in values.items() for key, value in keys.items()}
    assert merged == {key: value for key, (value, _) in expected.items()}
    assert origins == {key: origin for key, (_, origin) in expected.items()}


def test_list_is_replaced_as_a_whole() -> None:
    values, _ = merge_sources([Source("1", {"a": {"b": [1, 2]}}), Source("2", {"a": {"b": [3]}})])
    assert values == {"a": {"b": [3]}}


def test_a_table_of_a_section_is_merged_key_by_key() -> None:
    layers = [Source("FILE", {"a": {"b": {"c": 1, "d": 2}}}), option("--d", "a.b.d", 3)]
    values, _ = merge_sources(layers)
    assert values == {"a": {"b": {"c": 1, "d": 3}}}


def test_place_of_an_item_is_that_of_its_list() -> None:
    assert locate("a.b.0.c", {"a.b": "FILE"}) == "FILE: a.b.0.c"


def test_place_of_a_section_is_that_of_all_its_keys() -> None:
    assert locate("a", {"a.b": "--b", "a.c": "FILE", "z.b": "X"}) == "--b and FILE: a"


def test_what_no_source_sets_is_listed_alone() -> None:
    assert locate("a.b", {}) == "a.b"
