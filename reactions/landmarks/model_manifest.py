"""Which models there are: where each comes from, its size and its SHA-256.

All weights are MediaPipe's, Apache-2.0. They are not in this repository; they are taken out of the
packages that ship them; three are edited (see ``prune`` and ``wide_palm_model``) and two unpacked
(``task_archive``).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from reactions.landmark_types import ModelFamily
from reactions.landmarks.packed_assets import check_cut_out, cut_out
from reactions.landmarks.prune import check_pruned, prune
from reactions.landmarks.task_archive import check_unpacked, unpack
from reactions.landmarks.wide_palm_model import check_widened, widen


class Registry(StrEnum):
    """Which client fetches a package."""

    PIP = "pip"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Package:
    """A package that ships weights."""

    registry: Registry
    name: str
    version: str
    size: int
    """About how many bytes are fetched, for the progress bar."""

    def __str__(self) -> str:
        joint = "==" if self.registry is Registry.PIP else "@"
        return f"{self.name}{joint}{self.version}"


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file inside a package, at this path of its archive."""

    package: Package
    member: str


@dataclass(frozen=True, slots=True)
class Edited:
    """A file made of another one at fetch time."""

    original: str
    edit: Callable[[bytes], bytes]
    check: Callable[[bytes, bytes], None]
    """Raises ``ModelError`` where the edited model, second, doesn't do what the original does."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One ``.tflite`` file of the store."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    origin: Shipped | Edited
    family: ModelFamily
    optional: bool = False
    """Something else serves where it can't be had."""
    runs: bool = True
    """False for a model that is only the original of an edited one."""
    without: str = ""
    """What is off where an optional model is missing; empty where another one serves."""

    @property
    def file(self) -> str:
        return f"{self.name}.tflite"


FACE_DETECTOR = "face_detection_short_range"
FACE_MESH = "face_landmark"
FACE_DETAIL = "face_landmarks_detector"
BLENDSHAPES = "face_blendshapes"
PALM_SQUARE = "palm_detection_lite"
PALM_WIDE = "palm_detection_lite_128x192"
HAND_LITE = "hand_landmark_lite"
HAND_FULL = "hand_landmark_full"
POSE_DETECTOR = "pose_detection"
POSE_FULL = "pose_landmark_full_pruned"
POSE_LITE = "pose_landmark_lite_pruned"
VESSELS = "object_detection_ssd_mobilenetv2_oidv4_fp16"
_ASSETS = "objectron_solution_packed_assets"

_WHEEL = Package(Registry.PIP, "mediapipe", "0.10.21", 35_622_638)
_TARBALL = Package(Registry.NPM, "@mediapipe/pose", "0.5.1675469404", 40_985_403)
_TASK_WHEEL = Package(Registry.PIP, "ogm-vision", "0.1.4", 3_358_673)
_TASK = "face_landmarker_task"


_OBJECTRON = Package(Registry.NPM, "@mediapipe/objectron", "0.4.1675468480", 32_667_233)


def _wheel(folder: str, name: str) -> Shipped:
    return Shipped(_WHEEL, f"mediapipe/modules/{folder}/{name}.tflite")


_FILES = (
    ModelFile(
        FACE_DETECTOR,
        229_714,
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        _wheel("face_detection", FACE_DETECTOR),
        ModelFamily.FACE,
    ),
    ModelFile(
        FACE_MESH,
        1_242_398,
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        _wheel("face_landmark", FACE_MESH),
        ModelFamily.FACE,
    ),
    ModelFile(
        PALM_SQUARE,
        1_985_440,
        "e9a4aaddf90dda56a87235303cf00e4c2d3fb28725f68fd88772997dac905c18",
        _wheel("palm_detection", PALM_SQUARE),
        ModelFamily.HANDS,
    ),
    ModelFile(
        HAND_LITE,
        2_071_597,
        "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6",
        _wheel("hand_landmark", HAND_LITE),
        ModelFamily.HANDS,
    ),
    ModelFile(
        HAND_FULL,
        5_478_917,
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        _wheel("hand_landmark", HAND_FULL),
        ModelFamily.HANDS,
    ),
    ModelFile(
        POSE_DETECTOR,
        2_959_046,
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        _wheel("pose_detection", POSE_DETECTOR),
        ModelFamily.BODY,
    ),
    ModelFile(
        "pose_landmark_full",
        6_440_512,
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        _wheel("pose_landmark", "pose_landmark_full"),
        ModelFamily.BODY,
        runs=False,
    ),
    ModelFile(
        "pose_landmark_lite",
        2_819_824,
        "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
        Shipped(_TARBALL, "package/pose_landmark_lite.tflite"),
        ModelFamily.BODY,
        optional=True,
        runs=False,
    ),
    ModelFile(
        _TASK,
        3_758_596,
        "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        Shipped(_TASK_WHEEL, "ogm/models/face_landmarker.task"),
        ModelFamily.FACE_DETAIL,
        runs=False,
    ),
    ModelFile(
        FACE_DETAIL,
        2_553_590,
        "c7d54204ce0448474c7f3fa9af494787c0965cbdd6f20fc72867e43046bd43d5",
        Edited(_TASK, unpack(f"{FACE_DETAIL}.tflite"), check_unpacked),
        ModelFamily.FACE_DETAIL,
    ),
    ModelFile(
        BLENDSHAPES,
        955_312,
        "4f36dded049db18d76048567439b2a7f58f1daabc00d78bfe8f3ad396a2d2082",
        Edited(_TASK, unpack(f"{BLENDSHAPES}.tflite"), check_unpacked),
        ModelFamily.BLENDSHAPES,
    ),
    ModelFile(
        PALM_WIDE,
        1_985_440,
        "19346f84c0dd088dbc9e46100675582027f1a84e6227874acf2d7c4449f4c3ff",
        Edited(PALM_SQUARE, widen, check_widened),
        ModelFamily.HANDS,
    ),
    ModelFile(
        POSE_FULL,
        6_440_512,
        "ea92c17353ed2b788781322fe8a60fe1d1d72483ec96d0b0447846ccdefe0e74",
        Edited("pose_landmark_full", prune, check_pruned),
        ModelFamily.BODY,
    ),
    ModelFile(
        POSE_LITE,
        2_819_824,
        "e44d50e6d0fb4b2efc55318671bc6967c35f1517ec32fe49bdfa6fc71f59e092",
        Edited("pose_landmark_lite", prune, check_pruned),
        ModelFamily.BODY,
        optional=True,
    ),
    ModelFile(
        _ASSETS,
        9_987_912,
        "470986ca5df183f41698da6de74b027d838fe289d77b5ab094497d350bee664e",
        Shipped(_OBJECTRON, f"package/{_ASSETS}.data"),
        ModelFamily.OBJECTS,
        optional=True,
        without="drinking",
        runs=False,
    ),
    ModelFile(
        VESSELS,
        9_987_728,
        "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6",
        Edited(_ASSETS, cut_out, check_cut_out),
        ModelFamily.OBJECTS,
        optional=True,
        without="drinking",
    ),
)

FILES: Mapping[str, ModelFile] = MappingProxyType({model.name: model for model in _FILES})
"""Every file of the store by name; an edited one stands after its original."""


def files_of(families: Collection[ModelFamily]) -> tuple[str, ...]:
    """The names of all models of ``families`` that run, optional ones too."""
    return tuple(model.name for model in _FILES if model.family in families and model.runs)
