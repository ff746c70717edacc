"""A pose written down in TOML, with a range for each number: mannequins in any number show it.

    like = "thumbs_up"            # what is not written below is as in this pose of the catalogue
    side = "either"               # the hand that does it: right, left or either
    [right]
    wrist = [[18, 22], -3, 12]    # outwards, up, towards the camera from between the shoulders, cm
    fingers = [0.5, 0.3, [0.6, 0.9]]
    palm = [0.8, 0, -0.6]
    [right.index]
    knuckle = [0, 20]

A number stands for itself, two in brackets for a range. ``PoseRecipe`` and the tables in it name
all keys. ``right`` is the arm that poses: with ``side`` left the picture's pose is mirrored.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from config.errors import ConfigError
from config.toml_files import read_toml
from config.validation_errors import config_error_from, nearest
from reactions.landmark_types import Side
from reactions.mannequin.drawn import DrawnMannequin
from reactions.mannequin.hand import FingerPose, HandShape, Thumb
from reactions.mannequin.person import CAST, MONK, Person
from reactions.mannequin.pose import Arm, FacePose, Pose, Vector, facing
from reactions.mannequin.poses import POSES
from reactions.mannequin.scene import Background
from reactions.mannequin.things import LOOKS, Thing, ThingKind
from reactions.mannequin.variation import DESK, SceneRanges, Span, draw_scene, vary_arm


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Takes a number, or two of which the first is not the larger, between ``low`` and ``high``."""

    low: float
    high: float

    def __call__(self, value: Any) -> Span:
        ends = value if isinstance(value, list | tuple) else [value, value]
        numbers = [
            end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)
        ]
        if len(ends) == len(numbers) == 2 and self.low <= ends[0] <= ends[1] <= self.high:
            return float(ends[0]), float(ends[1])
        raise ValueError(f"write a number or [low, high], within {self.low:g} and {self.high:g}")


Angle = Annotated[Span, BeforeValidator(_Bounds(-180, 180))]
"""Degrees."""
Place = Annotated[Span, BeforeValidator(_Bounds(-150, 150))]
"""Centimetres."""
Part = Annotated[Span, BeforeValidator(_Bounds(-2, 2))]
"""Of a direction, or of a face that moves."""
Distance = Annotated[Span, BeforeValidator(_Bounds(40, 300))]
Light = Annotated[Span, BeforeValidator(_Bounds(0.1, 2))]
Noise = Annotated[Span, BeforeValidator(_Bounds(0, 30))]
Along = tuple[Place, Place, Place]
Direction = tuple[Part, Part, Part]
Swing = tuple[Angle, Angle]
Tone = Annotated[int, Field(ge=1, le=len(MONK))]
_OTHER: Final = {Side.RIGHT: Side.LEFT, Side.LEFT: Side.RIGHT}
_LEAST_AREA: Final = 0.05
"""Of the parallelogram of two directions that turn a hand."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PosingHand(StrEnum):
    """Which hand of the person does what ``right`` says."""

    RIGHT = "right"
    LEFT = "left"
    EITHER = "either"


class FingerRanges(_Table):
    """Bends of a finger's joints and its spread towards the thumb, see ``FingerPose``."""

    knuckle: Angle | None = None
    middle: Angle | None = None
    end: Angle | None = None
    spread: Angle | None = None


class ThumbRanges(_Table):
    """Swing and lift of the thumb's three bones, see ``Thumb``."""

    root: Swing | None = None
    middle: Swing | None = None
    tip: Swing | None = None


class ArmRanges(_Table):
    """One arm; ``fingers`` and ``palm`` are directions: inwards, up, towards the camera."""

    wrist: Along | None = None
    fingers: Direction | None = None
    palm: Direction | None = None
    swivel: Angle | None = None
    shape: str | None = None
    """A label: its hand's shape in the catalogue, which the fingers below start from."""
    thumb: ThumbRanges = ThumbRanges()
    index: FingerRanges = FingerRanges()
    long: FingerRanges = FingerRanges()
    ring: FingerRanges = FingerRanges()
    little: FingerRanges = FingerRanges()
    holds: Literal["", "mug", "phone", "glass", "book", "glasses"] | None = None
    """What the hand holds, each time another one of its kind: empty for nothing."""

    @model_validator(mode="after")
    def _turns_somewhere(self) -> Self:
        if (self.fingers is None) != (self.palm is None):
            raise ValueError("fingers and palm stand together: write both or none")
        if self.fingers is not None and self.palm is not None:
            along, front = (np.mean(one, axis=1) for one in (self.fingers, self.palm))
            if float(np.linalg.norm(np.cross(along, front))) < _LEAST_AREA:
                raise ValueError("fingers and palm must be directions at an angle to each other")
        return self

    @field_validator("shape")
    @classmethod
    def _known_shape(cls, name: str | None) -> str | None:
        return name if name is None else _known(name)


class HeadRanges(_Table):
    """Turn of the head, degrees: to the picture's right, down, tilted to the picture's right."""

    yaw: Angle | None = None
    pitch: Angle | None = None
    roll: Angle | None = None


class FaceRanges(_Table):
    """The painted face, see ``FacePose``."""

    mouth_open: Part | None = None
    smile: Part | None = None
    round: Part | None = None
    brows: Part | None = None
    lids: Part | None = None
    wink: Part | None = None
    gaze: tuple[Part, Part] | None = None


class CameraRanges(_Table):
    """Where the picture is taken from: degrees around and above the person, and cm away."""

    yaw: Angle = DESK.yaw
    pitch: Angle = DESK.pitch
    distance: Distance = DESK.distance


class LightRanges(_Table):
    """Strength of the key light (1: a well-lit room), noise in grey levels, and what is behind."""

    strength: Light = DESK.light
    noise: Noise = DESK.noise
    backgrounds: Annotated[tuple[Background, ...], Field(min_length=1)] = DESK.backgrounds


class PoseRecipe(_Table):
    """What a pose file holds."""

    like: str = "neutral"
    """The pose of the catalogue, a label, from which all that is not written is taken."""
    side: PosingHand = PosingHand.RIGHT
    vary: Annotated[float, Field(ge=0, le=3)] = 1.0
    """How much the joints of a posing arm differ from picture to picture: 1 moves each finger joint
    by 5 degrees and the wrist by 1.5 cm (standard deviations)."""
    tones: Annotated[tuple[Tone, ...], Field(min_length=1)] = tuple(range(1, len(MONK) + 1))
    """Skin tones on the Monk scale."""
    right: ArmRanges | None = None
    left: ArmRanges | None = None
    lean: Along | None = None
    head: HeadRanges = HeadRanges()
    face: FaceRanges = FaceRanges()
    camera: CameraRanges = CameraRanges()
    light: LightRanges = LightRanges()

    @field_validator("like")
    @classmethod
    def _known_pose(cls, name: str) -> str:
        return _known(name)

    @property
    def written(self) -> str:
        """All its keys, as JSON."""
        return self.model_dump_json()

    def draw(self, rng: np.random.Generator) -> DrawnMannequin:
        """A person in the pose before a camera, each number drawn evenly from its range."""
        base = POSES[self.like]
        (looks,) = rng.spawn(1)
        pose = Pose(
            face=_face(base.face, self.face, rng),
            right=self._arm(base.right, self.right, rng),
            left=self._arm(base.left, self.left, rng),
            head=_three((self.head.yaw, self.head.pitch, self.head.roll), base.head, rng),
            holds=_holds(base.holds, self.right, looks),
            holds_left=_holds(base.holds_left, self.left, looks),
            lean=_three(self.lean or (None, None, None), base.lean, rng),
        )
        posing = {
            side
            for side, arm, ranges in (
                (Side.RIGHT, base.right, self.right),
                (Side.LEFT, base.left, self.left),
            )
            if ranges is not None or arm != Arm()
        }
        mirrored = self.side is PosingHand.LEFT or (
            self.side is PosingHand.EITHER and rng.random() < 0.5
        )
        if mirrored:
            pose, posing = pose.mirrored(), {_OTHER[side] for side in posing}
        person, scene = self._person(rng), draw_scene(rng, self._scenes)
        return DrawnMannequin(person, pose, scene, frozenset(posing))

    def _arm(self, base: Arm, ranges: ArmRanges | None, rng: np.random.Generator) -> Arm:
        arm = base if ranges is None else _arm(base, ranges, rng)
        return arm if arm == Arm() or not self.vary else vary_arm(arm, rng, self.vary)

    def _person(self, rng: np.random.Generator) -> Person:
        cast = list(CAST.values())
        tone = self.tones[rng.integers(len(self.tones))]
        return replace(cast[rng.integers(len(cast))], skin=MONK[tone - 1])

    @property
    def _scenes(self) -> SceneRanges:
        camera, light = self.camera, self.light
        return SceneRanges(
            yaw=camera.yaw,
            pitch=camera.pitch,
            distance=camera.distance,
            light=light.strength,
            backgrounds=light.backgrounds,
            noise=light.noise,
        )


def read_pose_file(path: Path) -> PoseRecipe:
    """The pose in the TOML file ``path``; raises ConfigError that names the file and the key."""
    try:
        return PoseRecipe.model_validate(read_toml(path))
    except ValidationError as error:
        raise config_error_from(error, PoseRecipe, lambda key: f"{path}: {key}") from error


def catalogue_pose(label: str) -> PoseRecipe:
    """The catalogue's pose for ``label``, with either hand; raises ConfigError for no label."""
    if label not in POSES:
        raise ConfigError(f"no pose for {label!r}; {nearest(label, POSES)}")
    return PoseRecipe(like=label, side=PosingHand.EITHER)


def _known(name: str) -> str:
    if name not in POSES:
        raise ValueError(f"no such pose; {nearest(name, POSES)}")
    return name


def _arm(base: Arm, ranges: ArmRanges, rng: np.random.Generator) -> Arm:
    turn = base.turn
    if ranges.fingers is not None and ranges.palm is not None:
        turn = facing(_drawn(ranges.fingers, rng), _drawn(ranges.palm, rng))
    shape = base.shape if ranges.shape is None else POSES[ranges.shape].right.shape
    return Arm(
        wrist=base.wrist if ranges.wrist is None else _drawn(ranges.wrist, rng),
        turn=turn,
        shape=HandShape(
            _thumb(shape.thumb, ranges.thumb, rng),
            _finger(shape.index, ranges.index, rng),
            _finger(shape.long, ranges.long, rng),
            _finger(shape.ring, ranges.ring, rng),
            _finger(shape.little, ranges.little, rng),
        ),
        swivel=_one(ranges.swivel, base.swivel, rng),
    )


def _holds(
    base: Thing | None, ranges: ArmRanges | None, looks: np.random.Generator
) -> Thing | None:
    if ranges is None or ranges.holds is None:
        return base
    return Thing(ThingKind(ranges.holds), int(looks.integers(LOOKS))) if ranges.holds else None


def _finger(base: FingerPose, ranges: FingerRanges, rng: np.random.Generator) -> FingerPose:
    return FingerPose(
        _one(ranges.knuckle, base.knuckle, rng),
        _one(ranges.middle, base.middle, rng),
        _one(ranges.end, base.end, rng),
        _one(ranges.spread, base.spread, rng),
    )


def _thumb(base: Thumb, ranges: ThumbRanges, rng: np.random.Generator) -> Thumb:
    return Thumb(
        _two(ranges.root, base.root, rng),
        _two(ranges.middle, base.middle, rng),
        _two(ranges.tip, base.tip, rng),
    )


def _face(base: FacePose, ranges: FaceRanges, rng: np.random.Generator) -> FacePose:
    return FacePose(
        mouth_open=_one(ranges.mouth_open, base.mouth_open, rng),
        smile=_one(ranges.smile, base.smile, rng),
        round=_one(ranges.round, base.round, rng),
        brows=_one(ranges.brows, base.brows, rng),
        lids=_one(ranges.lids, base.lids, rng),
        wink=_one(ranges.wink, base.wink, rng),
        gaze=_two(ranges.gaze, base.gaze, rng),
    )


def _one(span: Span | None, base: float, rng: np.random.Generator) -> float:
    return base if span is None else rng.uniform(*span)


def _two(
    spans: tuple[Span, Span] | None, base: tuple[float, float], rng: np.random.Generator
) -> tuple[float, float]:
    return base if spans is None else (rng.uniform(*spans[0]), rng.uniform(*spans[1]))


def _three(
    spans: tuple[Span | None, Span | None, Span | None], base: Vector, rng: np.random.Generator
) -> Vector:
    return _one(spans[0], base[0], rng), _one(spans[1], base[1], rng), _one(spans[2], base[2], rng)


def _drawn(spans: tuple[Span, Span, Span], rng: np.random.Generator) -> Vector:
    return rng.uniform(*spans[0]), rng.uniform(*spans[1]), rng.uniform(*spans[2])
