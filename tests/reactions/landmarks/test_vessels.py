import numpy as np
import pytest

from config.errors import ModelError
from reactions.landmark_types import Hand, Side
from reactions.landmarks.packed_assets import check_cut_out, cut_out
from reactions.landmarks.vessels import default_boxes, mouth_look
from tests.reactions.gestures.figures import make_face, make_hand


def test_there_is_a_default_box_for_each_output_of_the_detector() -> None:
    boxes = default_boxes()
    assert boxes.shape == (1917, 4)
    assert boxes[0].tolist() == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
    assert boxes[-1].tolist() == pytest.approx([0.5, 0.5, 0.9747, 0.9747], abs=1e-3)


def fingers(bend: float, turn: float) -> Hand:
    """A hand at the mouth whose fingers are turned by ``turn`` degrees from upright, and bent at
    the middle joint by ``bend``."""
    points = np.zeros((21, 3), np.float32)
    for finger, knuckle in enumerate((5, 9, 13, 17)):
        way = np.radians(turn), np.radians(turn + bend)
        points[knuckle] = 330 + 10 * finger, 240, 0
        lower, upper = ((30 * np.sin(each), -30 * np.cos(each), 0) for each in way)
        points[knuckle + 1] = points[knuckle] + lower
        points[knuckle + 3] = points[knuckle + 1] + upper
    points[:5] = 345, 280, 0
    points[[7, 11, 15, 19]] = points[[6, 10, 14, 18]]
    return Hand(points, Side.RIGHT, 0.9, 0.9)


def test_only_a_hand_near_the_mouth_is_a_reason_to_look() -> None:
    face = make_face()
    near, far = fingers(40, 0), make_hand((560, 340), palm=40)
    look = mouth_look(face, [far, near])
    assert look is not None
    assert look.region.width == pytest.approx(2.4 * 117, rel=0.05)
    assert mouth_look(face, [far]) is None
    assert mouth_look(face, []) is None


@pytest.mark.parametrize(
    ("bend", "turn", "looked"),
    [(0, 0, False), (15, 10, False), (40, 0, True), (0, 45, True), (0, 90, True)],
    ids=["open", "nearly open", "round a mug", "across a mug", "level"],
)
def test_an_open_hand_that_points_up_holds_nothing(bend: float, turn: float, looked: bool) -> None:
    assert (mouth_look(make_face(), [fingers(bend, turn)]) is not None) is looked


def test_packed_assets_are_labels_and_a_model() -> None:
    packed = bytes(184) + b"\x1c\0\0\0TFL3" + bytes(20)
    check_cut_out(packed, cut_out(packed))
    with pytest.raises(ModelError, match="no model"):
        check_cut_out(bytes(300), cut_out(bytes(300)))
