"""The training of heads on numbers: what it learns, and that it goes on where it was ended."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from config.errors import ModelError
from reactions.bundle import MODEL_CARD, TRAINED
from reactions.trained_heads import HEAD_LABELS, HEAD_SIZES, HeadKind, head_classes
from reactions.training.checkpoints import CheckpointFolder, MemberState
from reactions.training.head_network import HeadExamples, HeadPlan, fold_of
from reactions.training.head_pictures import head_pictures
from reactions.training.head_run import train_head

PLAN = HeadPlan(HeadKind.BODY, epochs=12, folds=2)


class KilledError(Exception):
    """Stands for a signal."""


def examples(count: int = 240, seed: int = 0, kind: HeadKind = HeadKind.BODY) -> HeadExamples:
    """Readings in which each class has a direction of its own; the rules see nothing."""
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % len(head_classes(kind))
    vectors = rng.normal(0, 0.3, (count, HEAD_SIZES[kind])).astype(np.float32)
    vectors[np.arange(count), classes] += 3
    people = np.array([f"person {number % 6}" for number in range(count)])
    rules = np.zeros((count, len(HEAD_LABELS[kind])), np.float32)
    return HeadExamples(kind, vectors, classes, people, rules)


def test_it_learns_and_says_how_well_beside_the_rules(tmp_path: Path) -> None:
    outcome = train_head(PLAN, examples(), tmp_path / "out")
    for figures in outcome.figures:
        assert figures.network.value > 0.9
        assert figures.rule.value == 0
        assert figures.network_wrong.value < 0.05
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {TRAINED, MODEL_CARD, "curves.png", "tensorboard"}
    card = (tmp_path / "out" / MODEL_CARD).read_text(encoding="utf-8")
    assert "6 people" in card
    with pytest.raises(ModelError, match="holds a trained network"):
        train_head(PLAN, examples(), tmp_path / "out")


@pytest.mark.parametrize("kind", [HeadKind.BODY, HeadKind.MOTION])
def test_a_training_that_was_killed_goes_on_to_the_same_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: HeadKind
) -> None:
    plan = replace(PLAN, kind=kind, epochs=3)
    learnt = examples(120, kind=kind)
    train_head(plan, learnt, tmp_path / "whole")
    save, saves = CheckpointFolder.save, 0

    def killing(self: CheckpointFolder, member: int, state: MemberState) -> None:
        nonlocal saves
        saves += 1
        if saves == 7:
            raise KilledError
        save(self, member, state)

    monkeypatch.setattr(CheckpointFolder, "save", killing)
    with pytest.raises(KilledError):
        train_head(plan, learnt, tmp_path / "killed")
    assert not (tmp_path / "killed" / TRAINED).exists()
    with pytest.raises(ModelError, match="another data"):
        train_head(plan, examples(120, seed=1, kind=kind), tmp_path / "killed")
    train_head(plan, learnt, tmp_path / "killed", threads=2)
    whole, killed = ((tmp_path / name / TRAINED).read_bytes() for name in ("whole", "killed"))
    assert whole == killed


def test_too_few_examples_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="arms_raised is found in 2 pictures"):
        train_head(PLAN, examples(10), tmp_path / "out")


def test_people_are_in_one_fold_each() -> None:
    people = np.array(["a"] * 5 + ["b"] * 3 + ["c"] * 2)
    fold = fold_of(people, 2)
    assert [set(fold[people == one].tolist()) for one in "abc"] == [{0}, {1}, {1}]


def test_mannequins_show_each_label_and_other_poses() -> None:
    pictures = list(head_pictures(HeadKind.FACE, 2, 0))
    labels = [picture.label for picture in pictures]
    assert all(labels.count(label) == 2 for label in HEAD_LABELS[HeadKind.FACE])
    assert labels.count("none") == 6
    assert [one.name for one in pictures] == [
        one.name for one in head_pictures(HeadKind.FACE, 2, 0)
    ]
