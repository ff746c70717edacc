import numpy as np

from reactions.found_landmarks import BodyLandmarks, FaceLandmarks, HandLandmarks, found_landmarks
from reactions.landmark_types import Body, Face, Hand, Observation, Side

POINTS = np.array([[320, 90, -64], [0, 360, 0]], np.float32)
FRACTIONS = ((0.5, 0.25, -0.1), (0.0, 1.0, 0.0))


def test_points_are_fractions_of_the_sample() -> None:
    seen = Observation(
        *(640, 360, 1.0),
        hands=(Hand(POINTS, Side.LEFT, 0.75, 0.5),),
        face=Face(POINTS, 0.875),
        body=Body(POINTS, np.array([1.0, 0.25], np.float32), 0.625),
    )
    found = found_landmarks(seen)
    assert found.hands == (HandLandmarks(Side.LEFT, 0.75, 0.5, FRACTIONS),)
    assert found.face == FaceLandmarks(0.875, FRACTIONS)
    assert found.body == BodyLandmarks(0.625, FRACTIONS, (1.0, 0.25))


def test_what_was_not_found_is_not_there() -> None:
    found = found_landmarks(Observation(640, 360, 0.0))
    assert (found.hands, found.face, found.body) == ((), None, None)
