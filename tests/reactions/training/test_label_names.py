import pytest

from reactions.training.label_names import Meaning, Shown, meaning_of


@pytest.mark.parametrize(
    ("name", "shown", "label"),
    [
        ("victory", Shown.LABEL, "victory"),
        ("ok", Shown.LABEL, "ok_hand"),
        ("yawning", Shown.LABEL, "yawn"),
        ("head_on_hands", Shown.LABEL, "head_on_hand"),
        ("raised_hand_bent", Shown.LABEL, "fist"),
        ("neg_thumb_sideways", Shown.LOOK_ALIKE, ""),
        ("neg_talking_hands", Shown.LOOK_ALIKE, ""),
        ("other_hand_three", Shown.LOOK_ALIKE, ""),
        ("victory_back", Shown.LOOK_ALIKE, ""),
        ("negative", Shown.ORDINARY, ""),
        ("neg_talking_face", Shown.ORDINARY, ""),
        ("hagrid_none_mixed", Shown.UNSCORED, ""),
    ],
)
def test_a_name_of_the_data_means(name: str, shown: Shown, label: str) -> None:
    meaning = meaning_of(name)
    assert (meaning.shown, meaning.label) == (shown, label)


def test_a_combination_names_its_halves_rightly() -> None:
    assert meaning_of("thumbs_up").right == {"thumbs_up", "double_thumbs_up"}


def test_smiles_are_no_mistake_in_a_photo_of_something_else() -> None:
    assert "smile" in meaning_of("negative").may_fire


def test_what_is_not_scored_has_nothing_right() -> None:
    assert meaning_of("mixed") == Meaning(Shown.UNSCORED)
