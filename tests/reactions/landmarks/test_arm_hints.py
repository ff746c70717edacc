"""Where something like a palm means that arms may be up, crossed or on the head."""

import numpy as np
import pytest

from reactions.landmarks.arm_hints import arms_hinted
from reactions.landmarks.roi import Roi

FACE = Roi(320, 140, 180, 180)


@pytest.mark.parametrize(
    ("palm", "hinted"),
    [
        ((320, 140), False),
        ((330, 190), False),
        ((320, 280), True),
        ((210, 60), True),
        ((250, 20), True),
        ((480, 180), False),
        ((160, 120), False),
        ((480, 330), True),
        ((480, 60), True),
    ],
    ids=[
        *("on the face", "on the mouth", "before the chest", "on the head", "above the head"),
        *("beside the head", "at the other side", "below, aside", "up, aside"),
    ],
)
def test_arms_are_hinted_at_by_palms_where_arms_bring_them(
    palm: tuple[float, float], hinted: bool
) -> None:
    assert arms_hinted(np.array([palm], np.float32), FACE) is hinted


def test_one_palm_of_several_is_enough() -> None:
    palms = np.array([(320, 140), (480, 180), (320, 280)], np.float32)
    assert arms_hinted(palms, FACE)
    assert not arms_hinted(palms[:2], FACE)


def test_no_palm_hints_at_nothing() -> None:
    assert not arms_hinted(np.empty((0, 2), np.float32), FACE)
