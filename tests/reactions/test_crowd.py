"""When a crowd reacts: single rules first, then what never may happen, in random meetings."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.reaction_rule import Kind, ReactionRule
from reactions.crowd import WINDOW, Crowd, CrowdReaction
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.policy import Policy

RULE = ReactionRule(
    sticker="x", hold=0.4, crowd="fireworks", crowd_share=0.5, crowd_people=3, crowd_cooldown=30.0
)
TABLE = {
    "thumbs_up": RULE,
    "victory": RULE,
    "clap": RULE.model_copy(update={"crowd": "confetti"}),
    "fist": ReactionRule(sticker="x"),
}
FIVE = ("ann", "bea", "cem", "dan", "eva")


def showing(names: Iterable[str], label: str = "thumbs_up") -> list[tuple[str, str]]:
    return [(name, label) for name in names]


def test_enough_people_at_once_are_a_crowd() -> None:
    (reaction,) = Crowd(TABLE).observe(showing(FIVE[:3]), FIVE, 1.0)
    assert reaction == CrowdReaction(1.0, "thumbs_up", "fireworks", FIVE[:3], 5)


@pytest.mark.parametrize(
    ("present", "wanted"), [(FIVE[:3], 3), (FIVE, 3), ([str(n) for n in range(20)], 10)]
)
def test_both_the_number_and_the_share_are_needed(present: list[str], wanted: int) -> None:
    crowd = Crowd(TABLE)
    assert crowd.observe(showing(present[: wanted - 1]), present, 1.0) == []
    assert len(crowd.observe(showing(present[:wanted]), present, 1.1)) == 1


def test_an_effect_is_coming_while_one_more_person_is_missing() -> None:
    crowd, coming = Crowd(TABLE), []
    for count in (1, 2, 3):
        crowd.observe(showing(FIVE[:count]), FIVE, count / 10)
        coming.append(crowd.coming)
    assert coming == [None, "fireworks", None]


def test_people_who_show_it_one_after_another_count_within_the_window() -> None:
    crowd = Crowd(TABLE)
    assert crowd.observe(showing(["ann"]), FIVE, 0.0) == []
    assert crowd.observe(showing(["bea"]), FIVE, 1.0) == []
    (reaction,) = crowd.observe(showing(["cem"]), FIVE, WINDOW)
    assert reaction.participants == ("ann", "bea", "cem")


def test_a_person_who_stopped_before_the_window_does_not_count() -> None:
    crowd = Crowd(TABLE)
    crowd.observe(showing(["ann"]), FIVE, 0.0)
    assert crowd.observe(showing(["bea", "cem"]), FIVE, WINDOW + 0.1) == []


def test_labels_of_the_same_effect_count_together_and_a_person_once() -> None:
    crowd = Crowd(TABLE)
    both = [*showing(["ann", "bea"]), *showing(["ann", "bea"], "victory")]
    assert crowd.observe(both, FIVE, 0.0) == []
    (reaction,) = crowd.observe([*both, ("cem", "victory")], FIVE, 0.1)
    assert (reaction.effect, len(reaction.participants)) == ("fireworks", 3)


def test_labels_of_other_effects_and_of_none_do_not_count() -> None:
    mixed = [*showing(FIVE[:2]), ("cem", "clap"), ("dan", "fist"), ("eva", "wave")]
    assert Crowd(TABLE).observe(mixed, FIVE, 0.0) == []


def test_a_crowd_that_goes_on_reacts_once_even_beyond_the_cooldown() -> None:
    crowd = Crowd(TABLE)
    assert len(crowd.observe(showing(FIVE), FIVE, 0.0)) == 1
    for tick in range(1, 500):
        assert crowd.observe(showing(FIVE), FIVE, tick / 10) == []


def test_a_crowd_that_comes_back_reacts_after_the_cooldown() -> None:
    crowd = Crowd(TABLE)
    crowd.observe(showing(FIVE), FIVE, 0.0)
    crowd.observe([], FIVE, 10.0)
    assert crowd.observe(showing(FIVE), FIVE, 29.9) == []
    assert len(crowd.observe(showing(FIVE), FIVE, 30.0)) == 1


def test_who_is_not_present_does_not_count() -> None:
    assert Crowd(TABLE).observe(showing(FIVE), FIVE[:2], 0.0) == []


def test_a_label_that_is_off_is_in_no_crowd() -> None:
    off = {label: rule.model_copy(update={"kind": Kind.OFF}) for label, rule in TABLE.items()}
    assert Crowd(off).labels == set()


def test_another_table_keeps_the_cooldown_of_an_effect() -> None:
    crowd = Crowd(TABLE)
    crowd.observe(showing(FIVE), FIVE, 0.0)
    crowd.observe([], FIVE, 5.0)
    crowd.change({"thumbs_up": RULE})
    assert crowd.observe(showing(FIVE), FIVE, 6.0) == []


def test_the_policy_shows_a_full_hold_also_where_no_place_is_free() -> None:
    policy = Policy(TABLE, evidence=(1, 1), max_in_room=1)
    for tick in range(4):
        for name in ("ann", "bea"):
            policy.observe(name, [LabelScore("thumbs_up", 0.9, Box(0, 0, 1, 1))], tick / 5)
    assert sorted(policy.shown(["thumbs_up"])) == showing(["ann", "bea"])
    policy.observe("ann", [], 0.8)
    assert sorted(policy.shown(["thumbs_up"])) == showing(["bea"])


steps = st.lists(
    st.tuples(
        st.floats(0.05, 5.0),
        st.sets(st.tuples(st.sampled_from(FIVE), st.sampled_from(sorted(TABLE)))),
        st.sets(st.sampled_from(FIVE)),
    ),
    max_size=40,
)


@given(steps, st.floats(0.1, 1.0), st.integers(2, 5))
def test_no_crowd_is_too_small_too_old_or_too_soon(
    steps: list[tuple[float, set[tuple[str, str]], set[str]]], share: float, people: int
) -> None:
    change = {"crowd_share": share, "crowd_people": people, "crowd_cooldown": 4.0}
    table = {label: rule.model_copy(update=change) for label, rule in TABLE.items()}
    crowd, time = Crowd(table), 0.0
    seen: dict[tuple[str, str], float] = {}
    fired: dict[str, float] = {}
    for pause, shown, present in steps:
        time += pause
        for name, label in shown:
            seen[table[label].crowd or "", name] = time
        for reaction in crowd.observe(shown, present, time):
            assert len(reaction.participants) >= max(people, share * len(present) - 1e-5)
            assert present.issuperset(reaction.participants)
            assert reaction.time == time
            for name in reaction.participants:
                assert time - seen[reaction.effect, name] <= WINDOW
            assert time - fired.get(reaction.effect, -100.0) >= 4.0
            fired[reaction.effect] = time
