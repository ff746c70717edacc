"""What the recogniser proposes for pictures, and which labels it doubts."""

from pathlib import Path

import pytest

from reactions.datasets.opinions import (
    ModelOpinion,
    OpinionFile,
    ProposedBox,
    doubts_of,
    opinion_of,
)
from reactions.datasets.records import LabelledBox, PictureRecord
from reactions.datasets.store import open_dataset
from reactions.found_landmarks import FoundLandmarks, HandLandmarks
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.landmark_types import Side
from reactions.pipeline import Care, Detection, first_memory
from tests.reactions.datasets.pictures import make_dataset

RECORD = PictureRecord("0" * 64 + ".png", "a.png", 200, 100, "0" * 16)
JUDGED = ("fist", "open_palm", "raised_hand", "smile")


def detection(*scores: LabelScore, hand: Box | None = None, face: Box | None = None) -> Detection:
    points = () if hand is None else ((hand.x, hand.y, 0.0), (hand.x + hand.width, 0.6, 0.0))
    hands = () if hand is None else (HandLandmarks(Side.LEFT, 0.9, 0.8, points),)
    memory = first_memory(Care.NONE, 200, 100)
    assert memory is not None
    return Detection(scores, face, memory, 1.0, FoundLandmarks(hands, None, None))


def test_labels_above_their_threshold_are_proposed_in_pixels() -> None:
    scores = (
        LabelScore("fist", 0.9, Box(0.5, 0.1, 0.25, 0.5), Side.LEFT),
        LabelScore("open_palm", 0.8, Box(0.5, 0.1, 0.25, 0.5), Side.LEFT),
        LabelScore("smile", 0.3, Box(0.1, 0.1, 0.2, 0.2)),
        LabelScore("wave", 1.0, Box(0.0, 0.0, 0.1, 0.1)),
    )
    found = opinion_of(
        RECORD, "m", detection(*scores), {"fist": 0.6, "open_palm": 0.6, "smile": 0.5}
    )
    assert found.proposed == (ProposedBox("fist", 100, 10, 150, 60, 0.9, "hand"),)


def test_hands_and_faces_without_a_label_are_proposed_too() -> None:
    found = opinion_of(
        RECORD,
        "m",
        detection(hand=Box(0.5, 0.2, 0.2, 0.4), face=Box(0.1, 0.1, 0.2, 0.3)),
        {},
    )
    assert [(one.label, one.part, one.left) for one in found.proposed] == [
        ("", "hand", 100),
        ("", "face", 20),
    ]


def test_a_box_outside_the_picture_is_cut_or_left_out() -> None:
    scores = (
        LabelScore("fist", 0.9, Box(0.9, -0.2, 0.4, 0.5)),
        LabelScore("smile", 0.9, Box(1.1, 0.1, 0.2, 0.2)),
    )
    found = opinion_of(RECORD, "m", detection(*scores), {"fist": 0.5, "smile": 0.5})
    assert [(one.left, one.top, one.right, one.bottom) for one in found.proposed] == [
        (180, 0, 200, 30)
    ]


def seen(*boxes: ProposedBox) -> ModelOpinion:
    return ModelOpinion(RECORD.file, "m", boxes)


def record(*boxes: LabelledBox, labels: tuple[str, ...] = ()) -> PictureRecord:
    return PictureRecord(RECORD.file, "a.png", 200, 100, "0" * 16, boxes, labels)


FIST = ProposedBox("fist", 100, 10, 150, 60, 0.9, "hand")


@pytest.mark.parametrize(
    ("box", "doubted"),
    [
        (LabelledBox("fist", 95, 5, 160, 70), None),
        (LabelledBox("open_palm", 95, 5, 160, 70), "fist"),
        (LabelledBox("fist", 0, 0, 40, 40), ""),
        # The recogniser has no such label, and can't judge it.
        (LabelledBox("cup", 0, 0, 40, 40), None),
    ],
)
def test_a_label_is_doubted_where_the_recogniser_sees_another(
    box: LabelledBox, doubted: str | None
) -> None:
    doubts = doubts_of(record(box), seen(FIST), JUDGED)
    assert [one.seen for one in doubts] == ([] if doubted is None else [doubted])


def test_a_label_that_is_as_good_is_not_doubted() -> None:
    palm = ProposedBox("raised_hand", 100, 10, 150, 60, 0.9, "hand")
    box = LabelledBox("open_palm", 100, 10, 150, 60)
    assert doubts_of(record(box), seen(palm), JUDGED) == ()


def test_labels_of_whole_pictures_are_judged_by_all_that_is_seen() -> None:
    assert doubts_of(record(labels=("fist",)), seen(FIST), JUDGED) == ()
    (doubt,) = doubts_of(record(labels=("smile",)), seen(FIST), JUDGED)
    assert (doubt.index, str(doubt)) == (-1, "smile: the model sees fist (90%)")
    (doubt,) = doubts_of(record(labels=("smile",)), seen(), JUDGED)
    assert str(doubt) == "smile: the model sees none there"


def test_opinions_are_kept_and_broken_lines_dropped(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "tea")
    first, second, *_ = dataset.records
    kept = OpinionFile(dataset, "m")
    kept.put(ModelOpinion(first, "m", (FIST,)))
    path = tmp_path / "tea" / "cache" / "opinions.jsonl"
    with path.open("ab") as file:
        file.write(b'{"file": "')
    again = OpinionFile(open_dataset(tmp_path / "tea"), "m")
    assert again.get(first) == ModelOpinion(first, "m", (FIST,))
    again.put(ModelOpinion(second, "m"))
    lines = path.read_bytes().splitlines()
    assert len(lines) == 2
    assert OpinionFile(open_dataset(tmp_path / "tea"), "other").get(first) is None
