"""The model card of a detector of objects, from the JSON beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reactions.detected_labels import DetectorCard, ObjectFigures, read_detector

DETECTOR_TITLE: Final = "detector of objects"


def describe_detector(path: Path) -> str:
    """The card at ``path`` in Markdown; raises ModelError."""
    card = read_detector(path)
    return "\n".join([f"# Model card: {DETECTOR_TITLE}", "", *_facts(card), "", *_table(card), ""])


def _facts(card: DetectorCard) -> Iterator[str]:
    known = card.trained
    yield f"* Input {card.width}x{card.height}; started from {known.get('start', 'unknown')}."
    counts = (known.get(name, "?") for name in ("pictures", "boxes", "steps", "batch", "seed"))
    yield "* {} pictures with {} boxes; {} steps of {} pictures, seed {}.".format(*counts)
    if "milliseconds" in known:
        cups = known.get("cups_milliseconds")
        beside = "" if cups is None else f"; the detector of cups took {cups} ms in the same run"
        yield f"* {known['milliseconds']} ms a look, the model alone, one thread{beside}."
    names = ("keras", "tensorflow-cpu", "tensorflow", "numpy")
    versions = ", ".join(f"{name} {known[name]}" for name in names if name in known)
    yield f"* Versions: {versions or 'unknown'}."
    yield (
        "* The figures are of pictures that were held out of the data it was trained on. Where they"
        " are synthetic, as those of `sidecar dataset synthesize` are, they say nothing about real"
        " pictures: the repository has no photos with boxes of mugs, phones, glasses or books."
        " Measure it on yours: `sidecar model evaluate DATASET`."
    )


def _table(card: DetectorCard) -> Iterator[str]:
    held_out = card.trained.get("held_out_pictures", "?")
    yield f"Of {held_out} held-out pictures, at an overlap of 0.5:"
    yield ""
    yield "| label | boxes | average precision | threshold | recall | precision | false in 100 |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for label in card.labels:
        one = card.figures.get(label.name, ObjectFigures(boxes=0))
        average, recall, precision = map(
            share_text, (one.average_precision, one.recall, one.precision)
        )
        false = "–" if one.false_a_hundred is None else one.false_a_hundred
        cells = (one.boxes, average, label.threshold, recall, precision, false)
        yield f"| `{label.name}` | {' | '.join(map(str, cells))} |"


def share_text(value: float | None) -> str:
    """A share as per cent; a dash for none."""
    return "–" if value is None else f"{value:.1%}"
