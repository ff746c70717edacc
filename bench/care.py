"""What each care recognises in single pictures: of mannequins, and of photos by source.

``python -m bench.care FOLDER`` reads photos: the folder has an ``index.csv`` (data/README.md).
"""

import argparse
import itertools
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image

from bench.recognition import cells, related
from bench.table import Table
from config.errors import PictureError
from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.gestures.hand_classes import NONE
from reactions.labels import LABELS
from reactions.landmark_types import RgbImage, Sample
from reactions.mannequin import FAR, LOOKALIKES, MEDIUM, POSES, render
from reactions.pipeline import Care, RecognitionPipeline, first_memory
from reactions.training.photos import Photo, load_picture, read_index
from sidecar.session.factories import make_pipeline, make_store
from sidecar.session.stills import label_reports

LONGEST = 640
"""Pixels of a longer side that a photo is scaled to, as the service scales it."""
SEED = 11
COLUMNS = ("care", "ms a picture", "poses named %", "others fire %", "look-alikes fire %")


@dataclass(slots=True)
class Tally:
    """What single pictures showed."""

    times: list[float] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    """Of each pose, whether its own label fired."""
    wrong: list[bool] = field(default_factory=list)
    """Of each pose, whether another sticker's label fired."""
    fooled: list[bool] = field(default_factory=list)
    """Of each look-alike, whether any sticker's label fired."""

    def add(self, pose: str | None, firing: Collection[str], wrong: Collection[str]) -> None:
        """Count one picture of ``pose``, None for a look-alike."""
        if pose is None:
            self.fooled.append(bool(wrong))
        else:
            self.named.append(pose in firing)
            self.wrong.append(bool(wrong))

    def cells(self) -> tuple[object, ...]:
        """Median milliseconds, and percentages; a dash where nothing was counted."""
        shares = (_percent(one) for one in (self.named, self.wrong, self.fooled))
        return statistics.median(self.times), *shares


def _percent(counted: Sequence[bool]) -> object:
    return 100 * statistics.fmean(counted) if counted else "–"


class CareReader:
    """Reads single pictures with each care, at the shipped thresholds."""

    def __init__(self) -> None:
        settings = Settings()
        self.rules: Mapping[str, ReactionRule] = load_reaction_table(LABELS, environ={})
        self._pipeline: RecognitionPipeline = make_pipeline(
            make_store(settings), self.rules, settings
        )

    def read(self, pixels: RgbImage, care: Care) -> tuple[frozenset[str], float]:
        """The labels that fire in ``pixels``, and milliseconds of detection."""
        height, width = pixels.shape[:2]
        detection = self._pipeline.detect(Sample(pixels, 0.0), first_memory(care, width, height))
        reports = label_reports(detection, self.rules)
        return frozenset(one.label for one in reports if one.fires), detection.milliseconds


def mannequins(quick: bool) -> Table:
    """What each care recognises on mannequins."""
    where = list(cells((1, 7) if quick else (0, 3, 6, 9), (MEDIUM, FAR), (0.0, 20.0)))
    table = Table(
        "Annotate service: what each care recognises",
        COLUMNS,
        f"Single pictures of mannequins, {len(where)} combinations of skin tone, distance (medium "
        "and far) and yaw: poses whose own label fires, or another too; look-alikes on which any "
        "label fires.",
    )
    reader, tallies = CareReader(), {care: Tally() for care in Care}
    for cell, (name, pose) in itertools.product(where, [*POSES.items(), *LOOKALIKES.items()]):
        if name == "wave":
            continue
        shown = render(cell.person, pose, cell.scene, 640, 360)
        for care, tally in tallies.items():
            firing, spent = reader.read(shown, care)
            wrong = firing - related(name, reader.rules)
            tally.times.append(spent)
            tally.add(name if name in POSES else None, firing, wrong)
    for care, tally in tallies.items():
        table.add(care, *tally.cells())
    return table


def photos(folder: Path, most: int) -> Table:
    """What each care recognises in photos, ``most`` of each source and never pooled."""
    table = Table(
        "Annotate service: what each care recognises in photos",
        ("source", "photos", *COLUMNS),
        f"Single pictures, at most {most} of each source: hand shapes whose own label fires, or "
        "another sticker's too; look-alikes in which a sticker's label fires.",
    )
    reader = CareReader()
    stickers = {name for name, rule in reader.rules.items() if rule.kind is Kind.STICKER}
    for source, chosen in _by_source(read_index(folder), most):
        tallies = {care: Tally() for care in Care}
        for photo in chosen:
            if (shown := _scaled(folder, photo)) is None:
                continue
            for care, tally in tallies.items():
                firing, spent = reader.read(shown, care)
                pose = None if photo.shape == NONE else photo.shape
                tally.times.append(spent)
                tally.add(pose, firing, (firing & stickers) - {pose})
        for care, tally in tallies.items():
            if tally.times:
                table.add(source, len(tally.times), care, *tally.cells())
    return table


def _by_source(known: Sequence[Photo], most: int) -> Iterator[tuple[str, Sequence[Photo]]]:
    """Up to ``most`` photos a source of which the shape is known, always the same ones."""
    usable = [one for one in known if one.kind == "image" and one.shape is not None]
    usable.sort(key=lambda one: (one.source, one.file))
    for source, group in groupby(usable, key=lambda one: one.source):
        found = list(group)
        chosen = np.random.default_rng(SEED).permutation(len(found))[:most]
        yield source, [found[number] for number in sorted(chosen)]


def _scaled(folder: Path, photo: Photo) -> RgbImage | None:
    """The pixels of ``photo`` as the service sees them; None where it can't be read."""
    try:
        image = Image.fromarray(load_picture(folder, photo))
    except PictureError:
        return None
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.BILINEAR)
    return np.asarray(image)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="bench.care")
    parser.add_argument("folder", type=Path, help="of photos with an index.csv")
    parser.add_argument("--most", type=int, default=100, help="photos of each source")
    arguments = parser.parse_args()
    print(photos(arguments.folder, arguments.most).markdown())


if __name__ == "__main__":
    main()
