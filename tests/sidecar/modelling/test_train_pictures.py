import numpy as np
import pytest

from reactions.datasets.records import LabelledBox, PictureRecord
from reactions.landmark_types import Hand, Observation, Side
from sidecar.modelling.train_pictures import hand_shape_of, label_picture_hands


def record(*labels: str, boxes: tuple[LabelledBox, ...] = ()) -> PictureRecord:
    return PictureRecord("0" * 64 + ".png", "a.png", 200, 100, "0" * 16, boxes, labels)


def observation(*middles: tuple[float, float]) -> Observation:
    """Hands around ``middles`` in a picture that was read at half its size."""
    hands = []
    for x, y in middles:
        points = np.zeros((21, 3), np.float32)
        points[:, :2] = (x / 2, y / 2)
        hands.append(Hand(points, Side.LEFT, 1.0, 1.0))
    return Observation(100, 50, 0.0, tuple(hands))


def test_the_hand_in_a_box_shows_what_the_box_says() -> None:
    boxes = (LabelledBox("fist", 100, 0, 200, 100), LabelledBox("tea", 0, 50, 50, 100))
    seen = observation((150, 20), (20, 80), (80, 20))
    found = list(label_picture_hands(record(boxes=boxes), seen))
    assert [(hand.shape, hand.points[0][0]) for hand in found] == [("fist", 75.0), ("none", 10.0)]
    assert all(hand.left for hand in found)


def test_a_whole_picture_s_label_is_that_of_its_upper_hand() -> None:
    found = list(label_picture_hands(record("ok"), observation((20, 80), (30, 10))))
    assert [(hand.shape, hand.points[0][1]) for hand in found] == [("ok_hand", 5.0)]
    assert list(label_picture_hands(record("fist", "rock"), observation((20, 80)))) == []
    assert list(label_picture_hands(record(), observation((20, 80)))) == []


@pytest.mark.parametrize(
    ("label", "shape"),
    [
        ("fist_back", "fist"),
        ("drinking_tea", "none"),
        ("neg_back_of_hand", "none"),
        ("raised_hand", None),
        ("mixed", None),
    ],
)
def test_a_label_says_what_its_hand_shows(label: str, shape: str | None) -> None:
    assert hand_shape_of(label) == shape
