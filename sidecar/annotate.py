"""Report the labels of single pictures: the core of ``sidecar annotate``."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from config.errors import PictureError
from config.reaction_rule import ReactionRule
from reactions.pipeline import RecognitionPipeline
from sidecar.media.pictures import read_picture
from sidecar.session.stills import LabelReport, StillReader


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
        """One line; bytes of a file's name that are not UTF-8 become U+FFFD."""
        text = json.dumps(asdict(self), ensure_ascii=False)
        return text.encode(errors="surrogateescape").decode(errors="replace")


def annotate(
    pictures: Iterable[Path], pipeline: RecognitionPipeline, table: Mapping[str, ReactionRule]
) -> Iterator[PictureReport]:
    """One report a picture, in order; a picture that can't be read has an error in its own."""
    reader = StillReader(pipeline, table)
    for path in pictures:
        try:
            picture = read_picture(path)
        except PictureError as error:
            yield PictureReport(str(path), None, None, None, (), str(error))
            continue
        still = reader.read(picture.pixels, path.stem)
        ms = round(still.milliseconds, 2)
        yield PictureReport(str(path), picture.width, picture.height, ms, still.labels, None)
