"""What ``POST /v1/annotate`` answers: our own objects, or those of Roboflow's inference server."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import Field

from reactions.found_landmarks import FoundLandmarks
from sidecar.session.stills import LabelReport
from sidecar.supervisor.values import Value


@dataclass(frozen=True, slots=True)
class PictureAnswer:
    """One picture, as ``sidecar annotate`` reports it but for the file's name."""

    width: int | None
    """Pixels of the picture that was sent; None where it can't be read."""
    height: int | None
    ms: float | None
    """Milliseconds of detection."""
    labels: tuple[LabelReport, ...]
    """Best first."""
    error: str | None
    """Why a picture of a batch can't be read."""


@dataclass(frozen=True, slots=True)
class LandmarkedAnswer(PictureAnswer):
    """One picture with its landmarks."""

    landmarks: FoundLandmarks | None
    """In fractions of the picture; None where it can't be read."""


class InferenceImage(Value):
    """The size of a picture in pixels."""

    width: int
    height: int


class InferencePrediction(Value):
    """One label that fires, as an object in a box; centre and size are in pixels."""

    x: float
    y: float
    width: float
    height: float
    confidence: float
    label: Annotated[str, Field(serialization_alias="class")]
    class_id: int
    detection_id: str


class InferenceAnswer(Value):
    """Roboflow's answer to object detection, which ``supervision`` reads."""

    inference_id: str
    time: float
    """Seconds of detection."""
    image: InferenceImage
    predictions: tuple[InferencePrediction, ...]


OneAnswer: TypeAlias = LandmarkedAnswer | PictureAnswer | InferenceAnswer
AnnotateAnswer: TypeAlias = OneAnswer | list[OneAnswer]


def inference_answer(
    reports: Collection[LabelReport],
    width: int,
    height: int,
    milliseconds: float,
    labels: Sequence[str],
) -> InferenceAnswer:
    """The labels that fire, for ``supervision.Detections.from_inference``; the class of one is its
    place in ``labels``."""
    return InferenceAnswer(
        inference_id=str(uuid.uuid4()),
        time=milliseconds / 1000,
        image=InferenceImage(width=width, height=height),
        predictions=tuple(
            _prediction(one, width, height, labels.index(one.label)) for one in reports if one.fires
        ),
    )


def _prediction(report: LabelReport, width: int, height: int, class_id: int) -> InferencePrediction:
    left, top, across, down = report.box
    return InferencePrediction(
        x=(left + across / 2) * width,
        y=(top + down / 2) * height,
        width=across * width,
        height=down * height,
        confidence=report.score,
        label=report.label,
        class_id=class_id,
        detection_id=str(uuid.uuid4()),
    )
