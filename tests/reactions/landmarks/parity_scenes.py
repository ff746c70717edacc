"""The drawn people on whom our landmarks are compared with MediaPipe's."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from reactions.landmark_types import RgbImage
from reactions.mannequin import CAST, FAR, MEDIUM, NEAR, POSES, Background, Scene, render


@dataclass(frozen=True, slots=True)
class ParityScene:
    """One picture: who, in which pose, seen how, and how large."""

    person: str
    pose: str
    scene: Scene
    width: int = 640
    height: int = 360

    @property
    def name(self) -> str:
        return f"{self.person}-{self.pose}-{self.width}x{self.height}"

    def picture(self) -> RgbImage:
        return render(CAST[self.person], POSES[self.pose], self.scene, self.width, self.height)

    def thumbnail(self) -> npt.NDArray[np.uint8]:
        """(20, 20): mean greys, enough to tell whether mannequins are drawn as they were."""
        small = Image.fromarray(self.picture()).convert("L").resize((20, 20), Image.Resampling.BOX)
        return np.asarray(small)


def parity_scenes() -> list[ParityScene]:
    """Every person of the cast once, through poses, distances, angles, lights and picture sizes."""
    people = list(CAST)
    views = [
        ("open_palm", Scene(), (640, 360)),
        ("thumbs_up", Scene(yaw=12.0), (640, 360)),
        ("victory", Scene(distance=NEAR), (640, 360)),
        ("neutral", Scene(distance=NEAR, yaw=-15.0), (640, 360)),
        ("ok_hand", Scene(distance=FAR), (640, 360)),
        ("rock", Scene(yaw=-10.0, background=Background.LOUNGE), (640, 480)),
        ("raised_hand", Scene(distance=MEDIUM, light=0.7), (640, 480)),
        ("thinking", Scene(distance=NEAR), (640, 480)),
        ("call_me", Scene(pitch=8.0, distance=FAR), (480, 480)),
        ("smile", Scene(distance=NEAR, background=Background.WALL), (480, 480)),
        ("thumbs_down", Scene(distance=NEAR), (480, 640)),
        ("fist", Scene(background=Background.DARK), (1280, 720)),
    ]
    return [
        ParityScene(people[index % len(people)], pose, scene, *size)
        for index, (pose, scene, size) in enumerate(views)
    ]
