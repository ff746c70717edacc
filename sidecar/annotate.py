"""What single pictures show, label by label: the core of ``sidecar annotate``."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from config.errors import PictureError
from config.reaction_rule import Kind, ReactionRule
from reactions.labels import LabelScore
from reactions.landmark_types import Sample
from reactions.pipeline import RecognitionPipeline
from sidecar.media.still_files import read_picture

BoxFractions = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LabelReport:
    """One label of one picture; ``box`` is x, y, width, height in 0–1 of the picture."""

    label: str
    score: float
    threshold: float
    fires: bool
    box: BoxFractions
    hand: str | None


@dataclass(frozen=True, slots=True)
class PictureReport:
    """One picture's line: its size in pixels, the milliseconds of detection, labels best first."""

    picture: str
    width: int | None
    height: int | None
    ms: float | None
    labels: tuple[LabelReport, ...]
    error: str | None

    def to_json(self) -> str:
        """One line; whatever of a file's name is no Unicode becomes U+FFFD."""
        text = json.dumps(asdict(self), ensure_ascii=False)
        return text.encode(errors="surrogateescape").decode(errors="replace")


def report_label(score: LabelScore, rule: ReactionRule) -> LabelReport:
    """``score`` as one frame judges it under ``rule``."""
    box = score.box.clipped()
    return LabelReport(
        label=score.label,
        score=round(score.score, 4),
        threshold=rule.threshold,
        fires=rule.kind is not Kind.OFF and score.score >= rule.threshold,
        box=(round(box.x, 4), round(box.y, 4), round(box.width, 4), round(box.height, 4)),
        hand=score.hand,
    )


def annotate(
    pictures: Iterable[Path], detector: RecognitionPipeline, table: Mapping[str, ReactionRule]
) -> Iterator[PictureReport]:
    """One report a picture, in order; one that can't be read is reported and the rest go on."""
    for path in pictures:
        try:
            picture = read_picture(path)
        except PictureError as error:
            yield PictureReport(str(path), None, None, None, (), str(error))
            continue
        detection = detector.detect(Sample(picture.pixels, 0.0), None)
        labels = tuple(report_label(score, table[score.label]) for score in detection.scores)
        ms = round(detection.milliseconds, 2)
        yield PictureReport(str(path), picture.width, picture.height, ms, labels, None)
