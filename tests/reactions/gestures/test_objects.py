import numpy as np
import pytest

from reactions.gestures.calibration import DECISION
from reactions.gestures.objects import VESSEL_KEPT, drinking, read_vessel
from reactions.gestures.recognizer import Recognizer
from reactions.landmark_types import Observation, Vessel
from tests.reactions.gestures.figures import HEIGHT, WIDTH, make_face

FACE = make_face()
MOUTH = (320.0, 197.0)
"""Of that face, whose height is 117 pixels."""


def vessel(x: float, y: float, width: float = 60, height: float = 80, score: float = 0.6) -> Vessel:
    """A vessel the middle of whose rim is ``x``, ``y`` pixels from the mouth."""
    left, top = MOUTH[0] + x - width / 2, MOUTH[1] + y
    corners = np.array([(left, top, 0), (left + width, top + height, 0)], np.float32)
    return Vessel(corners, score)


def see_vessels(*vessels: Vessel, time: float = 0.0) -> Observation:
    return Observation(WIDTH, HEIGHT, time, face=FACE, vessels=vessels)


def drunk(found: Vessel) -> float:
    return drinking(read_vessel(found, FACE, see_vessels(found)))


@pytest.mark.parametrize("found", [vessel(0, -20), vessel(10, 5), vessel(0, -60, 50, 90)])
def test_a_vessel_with_its_rim_at_the_lips_is_drunk_from(found: Vessel) -> None:
    assert drunk(found) > DECISION


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(vessel(0, 60), id="below the chin"),
        pytest.param(vessel(90, -10), id="beside the face"),
        pytest.param(vessel(0, -20, score=0.2), id="hardly a vessel"),
        pytest.param(vessel(0, -20, 10, 20), id="too small"),
        pytest.param(vessel(0, -20, 300, 160), id="too large"),
    ],
)
def test_other_vessels_are_not_drunk_from(found: Vessel) -> None:
    assert drunk(found) < DECISION


def test_a_vessel_counts_until_the_next_look() -> None:
    recognizer = Recognizer(["drinking"])
    scores, motion = recognizer.recognize(see_vessels(vessel(0, -20)), None)
    assert scores[0].score > DECISION
    unseen = Observation(WIDTH, HEIGHT, VESSEL_KEPT - 0.1, face=FACE)
    assert recognizer.recognize(unseen, motion)[0][0].score > DECISION
    late = Observation(WIDTH, HEIGHT, VESSEL_KEPT + 0.1, face=FACE)
    assert recognizer.recognize(late, motion)[0] == ()
    gone, after = recognizer.recognize(see_vessels(time=0.4), motion)
    assert gone == ()
    assert after.vessel is None
