import pytest

from config.errors import ModelError
from reactions.landmarks.packed_assets import check_cut_out, cut_out
from reactions.landmarks.vessels import default_boxes, mouth_region
from tests.reactions.gestures.figures import make_face, make_hand


def test_there_is_a_default_box_for_each_output_of_the_detector() -> None:
    boxes = default_boxes()
    assert boxes.shape == (1917, 4)
    assert boxes[0].tolist() == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
    assert boxes[-1].tolist() == pytest.approx([0.5, 0.5, 0.9747, 0.9747], abs=1e-3)


def test_only_a_hand_near_the_mouth_is_a_reason_to_look() -> None:
    face = make_face()
    near, far = make_hand((360, 260), palm=40), make_hand((560, 340), palm=40)
    region = mouth_region(face, [far, near])
    assert region is not None
    assert region.width == pytest.approx(2.4 * 117, rel=0.05)
    assert mouth_region(face, [far]) is None
    assert mouth_region(face, []) is None


def test_packed_assets_are_labels_and_a_model() -> None:
    packed = bytes(184) + b"\x1c\0\0\0TFL3" + bytes(20)
    check_cut_out(packed, cut_out(packed))
    with pytest.raises(ModelError, match="no model"):
        check_cut_out(bytes(300), cut_out(bytes(300)))
