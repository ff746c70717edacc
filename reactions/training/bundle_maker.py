"""Make bundles: from a training's classifier, or from another bundle and a taught label."""

import hashlib
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.errors import ModelError
from reactions.bundle import (
    CLASSIFIER_CARD,
    DETECTOR,
    DETECTOR_CARD,
    MODEL_CARD,
    NAME,
    TAUGHT,
    TRAINED,
    WEIGHTS,
    ModelBundle,
    write_card,
)
from reactions.datasets.store import new_folder
from reactions.detected_labels import DetectedLabel, read_detector
from reactions.gestures.hand_classifier import SHIPPED, HeadCard
from reactions.taught_labels import TaughtLabel, write_taught
from reactions.trained_heads import TrainedHead, write_heads
from reactions.training.detector_card import DETECTOR_TITLE

_NUMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class NewSticker:
    """A sticker's content, and the suffix that its name has."""

    content: bytes
    suffix: str

    def name(self, label: str) -> str:
        """The name in a bundle: other content has another one, so that none is kept for old."""
        return f"{label}-{hashlib.sha256(self.content).hexdigest()[:8]}{self.suffix}"


def free_name(folder: Path, prefix: str) -> str:
    """The first of ``prefix``-1, ``prefix``-2, … that ``folder`` does not have."""
    names = (f"{prefix}-{number}" for number in range(1, _NUMBERED))
    return next(name for name in names if not (folder / name).exists())


def add_taught(
    base: ModelBundle,
    label: TaughtLabel,
    folder: Path,
    *,
    created: str,
    card: str,
    sticker: NewSticker | None = None,
) -> ModelBundle:
    """``base`` with ``label``, in place of one of its name, as a new bundle in ``folder``.

    ``card`` is its description in Markdown. The folder appears whole or not at all.
    """
    check_name(folder.name)
    with new_folder(folder) as partial:
        _copy_base(base, partial)
        kept = [one for one in base.taught if one.name != label.name]
        write_taught([*kept, label], partial / TAUGHT)
        if sticker is not None:
            (partial / sticker.name(label.name)).write_bytes(sticker.content)
        others = {one.name for one in kept} | _own_titles(base)
        cards = [card, *_model_cards(base, others)]
        (partial / MODEL_CARD).write_text("\n".join(cards), encoding="utf-8")
        names = ", ".join(one.name for one in [*kept, label])
        write_card(
            partial,
            name=folder.name,
            created=created,
            description=f"Taught: {names}",
            thresholds=base.thresholds,
            parent=base.name,
        )
    return _read_new(folder)


def _model_cards(base: ModelBundle, labels: Collection[str]) -> Iterator[str]:
    """The sections of ``base``'s card that describe ``labels``."""
    path = None if base.folder is None else base.folder / MODEL_CARD
    text = ""
    if path is not None and path.is_file():
        text = path.read_text(encoding="utf-8", errors="replace")
    for section in re.split(r"(?m)^(?=# Model card: )", text):
        if section.partition("\n")[0].removeprefix("# Model card: ") in labels:
            yield section.rstrip() + "\n"


def bundle_of_classifier(
    weights: Path, folder: Path, *, created: str, thresholds: Mapping[str, float], card: str
) -> ModelBundle:
    """The classifier at ``weights``, with the JSON beside it, as a new bundle in ``folder``."""
    check_name(folder.name)
    HeadCard.read(weights.with_suffix(".json"))
    with new_folder(folder) as partial:
        shutil.copyfile(weights, partial / WEIGHTS)
        shutil.copyfile(weights.with_suffix(".json"), partial / CLASSIFIER_CARD)
        (partial / MODEL_CARD).write_text(card, encoding="utf-8")
        write_card(partial, name=folder.name, created=created, thresholds=thresholds)
    return _read_new(folder)


def add_head(
    base: ModelBundle, head: TrainedHead, folder: Path, *, created: str, card: str
) -> ModelBundle:
    """``base`` with ``head``, in place of one of its kind, as a new bundle in ``folder``."""
    check_name(folder.name)
    heads = [one for one in base.heads if one.kind is not head.kind]
    with new_folder(folder) as partial:
        _copy_base(base, partial)
        write_heads([*heads, head], partial / TRAINED)
        if base.taught:
            write_taught(base.taught, partial / TAUGHT)
        titles = {one.name for one in base.taught} | _own_titles(base) - {head.kind.value}
        cards = [card, *_model_cards(base, titles)]
        (partial / MODEL_CARD).write_text("\n".join(cards), encoding="utf-8")
        write_card(
            partial,
            name=folder.name,
            created=created,
            description=f"Trained: {', '.join(one.kind.value for one in [*heads, head])}",
            thresholds={**base.thresholds, **head.thresholds},
            parent=base.name,
        )
    return _read_new(folder)


def add_detector(
    base: ModelBundle, trained: Path, folder: Path, *, created: str, card: str
) -> ModelBundle:
    """``base`` with the detector in ``trained``, in place of one that it has, as a new bundle in
    ``folder``. ``card`` is its description in Markdown. Raises ModelError for a missing sticker."""
    check_name(folder.name)
    with new_folder(folder) as partial:
        _copy_base(base, partial)
        for name in (DETECTOR, DETECTOR_CARD):
            shutil.copyfile(trained / name, partial / name)
        detected = read_detector(partial / DETECTOR_CARD).labels
        _copy_stickers(detected, trained, partial)
        if base.taught:
            write_taught(base.taught, partial / TAUGHT)
        titles = {one.name for one in base.taught} | _own_titles(base) - {DETECTOR_TITLE}
        cards = [card, *_model_cards(base, titles)]
        (partial / MODEL_CARD).write_text("\n".join(cards), encoding="utf-8")
        names = ", ".join(one.name for one in detected)
        write_card(
            partial,
            name=folder.name,
            created=created,
            description=f"Detects: {names}"[:1000],
            thresholds=base.thresholds,
            parent=base.name,
        )
    return _read_new(folder)


def _read_new(folder: Path) -> ModelBundle:
    """The bundle that was just written to ``folder``, which is deleted where it can't be used."""
    try:
        return ModelBundle.read(folder)
    except ModelError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _copy_stickers(labels: Sequence[DetectedLabel], trained: Path, folder: Path) -> None:
    """The files that rows of ``labels`` name, which are in ``trained``; others are ours."""
    for label in labels:
        name = label.sticker or ""
        if "." not in name:
            continue
        where = f"{trained / DETECTOR_CARD}: {label.name}.sticker"
        if not (trained / name).is_file():
            do = "copy the file beside detector.json, or name a sticker of ours"
            raise ModelError(f"{name} is not there", where=where, do=do)
        content = (trained / name).read_bytes()
        if (folder / name).exists() and (folder / name).read_bytes() != content:
            what = f"{name} is the name of another file of the bundle"
            raise ModelError(what, where=where, do="rename it")
        (folder / name).write_bytes(content)


def _own_titles(base: ModelBundle) -> set[str]:
    """The titles of the sections of ``base``'s card that are of its networks."""
    heads = {one.kind.value for one in base.heads}
    return heads | {DETECTOR_TITLE} if base.detected else heads


def copy_bundle(source: ModelBundle, folder: Path) -> ModelBundle:
    """``source`` under the name of ``folder``, which is new."""
    check_name(folder.name)
    with new_folder(folder) as partial:
        _copy_base(source, partial)
        if source.model_card is not None:
            shutil.copyfile(source.model_card, partial / MODEL_CARD)
        if source.taught:
            write_taught(source.taught, partial / TAUGHT)
        write_card(
            partial,
            name=folder.name,
            created=source.created,
            description=source.description,
            thresholds=source.thresholds,
            parent=source.parent,
        )
    return _read_new(folder)


def check_name(name: str) -> None:
    """Raise ModelError for what can't be the name of a bundle."""
    if re.fullmatch(NAME, name) is None:
        do = "use lower-case letters, digits, points and hyphens"
        raise ModelError("can't be the name of a bundle", where=repr(name[:80]), do=do)


def _copy_base(base: ModelBundle, folder: Path) -> None:
    """The networks of ``base``, its detector, and the stickers of its labels."""
    shutil.copyfile(base.weights, folder / WEIGHTS)
    card = SHIPPED.with_suffix(".json") if base.folder is None else base.folder / CLASSIFIER_CARD
    shutil.copyfile(card, folder / CLASSIFIER_CARD)
    if base.heads:
        write_heads(base.heads, folder / TRAINED)
    for name, path in base.stickers.items():
        shutil.copyfile(path, folder / name)
    if base.detector is not None:
        for name in (DETECTOR, DETECTOR_CARD):
            shutil.copyfile(base.detector.with_name(name), folder / name)
