"""Every label has all that it needs, in each of the packages."""

import re
from pathlib import Path

import pytest
from PIL import Image

from config.reaction_rule import Kind
from config.reaction_table import load_reaction_table
from gifs.catalogue import EFFECTS, STICKERS
from reactions.labels import LABELS
from reactions.mannequin.choreography import demonstration
from reactions.mannequin.contact_sheet import LEGEND_SIZE
from reactions.mannequin.poses import POSES
from sidecar.server.pages import WEB

TABLE = load_reaction_table(LABELS, environ={})
DOCS = Path(__file__).parents[1] / "docs"
STATES = {"face", "hand", "neutral"}
"""What is in the picture without anything being shown."""
each_label = pytest.mark.parametrize("label", LABELS)


@each_label
def test_a_label_has_a_row_whose_sticker_and_effect_are_ours(label: str) -> None:
    rule = TABLE[label]
    assert rule.sticker in STICKERS or (rule.sticker is None and rule.kind is not Kind.STICKER)
    assert rule.effect is None or rule.effect in EFFECTS
    assert rule.crowd is None or rule.crowd in EFFECTS


@each_label
def test_a_sign_has_a_sticker_of_ours_unless_it_is_moderated(label: str) -> None:
    assert (TABLE[label].sticker is None) == (label in STATES or LABELS[label].moderated)


@pytest.mark.parametrize("table", ["What each label means", "What each label is read from"])
def test_each_label_is_defined_and_explained_once(table: str) -> None:
    section = (DOCS / "labels.md").read_text().split(f"\n## {table}\n")[1].split("\n## ")[0]
    firsts = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    named = [label for first in firsts for label in re.findall("`([a-z_]+)`", first)]
    assert sorted(named) == sorted(LABELS)


@each_label
def test_a_label_has_a_pose_that_mannequins_make(label: str) -> None:
    assert label in POSES


@each_label
def test_a_label_has_a_picture_of_how_to_pose(label: str) -> None:
    with Image.open(WEB / "poses" / f"{label}.webp") as picture:
        assert picture.size == (LEGEND_SIZE, LEGEND_SIZE)


def test_there_is_no_picture_of_anything_else() -> None:
    assert {path.stem for path in (WEB / "poses").iterdir()} == set(LABELS)


@each_label
def test_a_label_that_plays_a_sticker_is_in_the_demonstration(label: str) -> None:
    if TABLE[label].kind is Kind.STICKER:
        assert label in {name for name, _ in demonstration().steps}
