"""Teach a label from pictures: the core of ``sidecar model teach``."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import ValidationError

from config.errors import ModelError, PictureError, StickerError
from config.reaction_rule import Kind
from gifs.catalogue import own_file
from gifs.loader import StickerLimits, load_sticker
from gifs.text_sticker import draw_text_sticker
from reactions.bundle import ModelBundle
from reactions.gestures.context import Context
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.gestures.motion import Motion
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LABELS, Group
from reactions.landmark_types import ModelFamily, Observation, RgbImage, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.pipeline import Care, first_memory
from reactions.taught_labels import (
    VIEW_FAMILIES,
    VIEW_SIZES,
    LandmarkView,
    TaughtLabel,
    TaughtNetwork,
)
from reactions.training.bundle_maker import NewSticker, add_taught
from reactions.training.taught_card import describe_taught
from reactions.training.taught_examples import Example, hand_example, take_examples
from reactions.training.teach import TaughtResult, teach
from sidecar.modelling.sources import (
    TeachFile,
    TeachPicture,
    find_other_files,
    find_teach_files,
    is_landmark_file,
    read_landmark_file,
    read_teach_file,
    unreadable,
)

Move = Callable[[float, str], None]
_SILENT: Final = frozenset({Group.PRESENCE})
"""Groups whose labels fire of any picture, and give way to nothing."""
_ORDINARY: Final = frozenset({"neutral", "smile"})


@dataclass(frozen=True, slots=True)
class TeachOptions:
    """How a label is taught, and what it does."""

    label: str
    view: LandmarkView = LandmarkView.HAND
    named: str = ""
    """What pictures call the label where that is another name."""
    title: str = ""
    how: str = ""
    kind: Kind = Kind.STICKER
    sticker: str | None = None
    """One of ours, or a file; None draws the title."""
    hold: float = 0.8
    seed: int = 0

    @property
    def shown_title(self) -> str:
        """``title``, or one made of the label."""
        return self.title or self.label.replace("_", " ").capitalize()


@dataclass(slots=True)
class Examples:
    """What was found in pictures."""

    shown: list[Example] = field(default_factory=list)
    other: list[Example] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Pictures that were left out, and why."""
    pictures: int = 0


class ExampleReader:
    """Reads landmarks of pictures; belongs to one thread. Raises ModelError without the models."""

    def __init__(
        self, view: LandmarkView, store: ModelStore, classifier: HandShapeClassifier
    ) -> None:
        self._view = view
        families = VIEW_FAMILIES[view] | {ModelFamily.HANDS, ModelFamily.FACE}
        self._scheduler = LandmarkScheduler(store, families)
        labels = [
            name
            for name, spec in LABELS.items()
            if spec.families <= families and spec.group not in _SILENT and name not in _ORDINARY
        ]
        self._recognizer = Recognizer(labels, shapes=classifier)

    def add(self, picture: TeachPicture, examples: Examples, *, again: bool = False) -> bool:
        """Whether the view finds something in ``picture``, which is then added to ``examples``.

        ``again``: it is the one before, of which another box is read.
        """
        found: list[Example] = []
        number = examples.pictures - again
        for observation in self._look(picture.pixels):
            found += self._read(observation, picture, number)
        (examples.shown if picture.shows else examples.other).extend(found)
        examples.pictures = number + 1
        return bool(found)

    def _look(self, pixels: RgbImage) -> Iterator[Observation]:
        """``pixels`` as the first two samples of a stream: what is found, and what is tracked."""
        tracks = first_memory(Care.SOME, pixels.shape[1], pixels.shape[0])
        seen, tracked = self._scheduler.observe(
            Sample(pixels, 0.0), None if tracks is None else tracks.tracks
        )
        yield seen
        yield self._scheduler.observe(Sample(pixels, 0.2), tracked)[0]

    def _read(
        self, observation: Observation, picture: TeachPicture, number: int
    ) -> Sequence[Example]:
        context: Context = self._recognizer.measure(observation, Motion())
        scores, _ = self._recognizer.recognize(observation, None)
        fires = frozenset(
            score.label for score in scores if score.score >= LABELS[score.label].threshold
        )
        return take_examples(
            self._view, context, number, fires, within=picture.within, every=not picture.shows
        )


def read_examples(
    options: TeachOptions,
    source: Path | None,
    other: Path | None,
    store: ModelStore,
    classifier: HandShapeClassifier,
    move: Move,
) -> Examples:
    """The examples in ``source``, and in ``other``, whose pictures show anything else.

    ``move`` gets the share of files that are read. Raises SidecarError where nothing can be.
    """
    examples = Examples()
    files: list[TeachFile] = []
    if source is not None and is_landmark_file(source):
        _add_poses(options.view, source, examples)
    elif source is not None:
        files = find_teach_files(source, options.named or options.label)
    if other is not None:
        files += find_other_files(other, options.named or options.label)
    reader = ExampleReader(options.view, store, classifier) if files else None
    for done, file in enumerate(files):
        move(done / len(files), file.name)
        assert reader is not None
        again = done > 0 and files[done - 1].path == file.path
        _add_file(file, reader, examples, again=again)
    return examples


def _add_file(
    file: TeachFile, reader: ExampleReader, examples: Examples, *, again: bool = False
) -> None:
    try:
        seen = [reader.add(picture, examples, again=again) for picture in read_teach_file(file)]
    except PictureError as error:
        examples.notes.append(unreadable(file, error))
        return
    if not any(seen) and file.shows:
        examples.notes.append(f"{file.name}: nothing found to learn from")


def _add_poses(view: LandmarkView, path: Path, examples: Examples) -> None:
    if view is not LandmarkView.HAND:
        raise ModelError("holds hands alone", where=str(path), do="teach it of the view hand")
    poses = read_landmark_file(path)
    for points, left in zip(poses.points, poses.left.tolist(), strict=True):
        examples.shown.append(hand_example(view, points, left, examples.pictures))
        examples.pictures += 1


@dataclass(frozen=True, slots=True)
class TaughtBundle:
    """A bundle with a newly taught label, and what is known of the label."""

    bundle: ModelBundle
    label: TaughtLabel
    result: TaughtResult


def check_teachable(options: TeachOptions, base: ModelBundle, *, again: bool) -> None:
    """Raise ModelError for a label that can't be taught, before any picture is read."""
    if options.label in LABELS:
        what = "is a label of the vocabulary, which stays as it is"
        raise ModelError(what, where=options.label, do="give the new label another name")
    if not again and any(one.name == options.label for one in base.taught):
        do = "add --again to teach it newly"
        raise ModelError(f"is taught already in {base.name}", where=options.label, do=do)
    if any(one.name == options.label for one in base.detected):
        what = f"is an object that {base.name} detects"
        raise ModelError(what, where=options.label, do="give the new label another name")
    blank = TaughtNetwork(hidden=((0.0,),) * (VIEW_SIZES[options.view] + 1), out=(0.0, 0.0))
    _label(replace(options, kind=Kind.EVENT), blank, threshold=1.0)


def teach_bundle(
    options: TeachOptions,
    examples: Examples,
    base: ModelBundle,
    classifier: HandShapeClassifier,
    folder: Path,
    move: Move,
) -> TaughtBundle:
    """Teach the label of ``options`` and write it, with all that ``base`` has, as a new bundle in
    ``folder``. Raises SidecarError where the examples are too few, or a sticker is none."""
    sticker = new_sticker(options)
    result = teach(
        options.view, examples.shown, examples.other, classifier, seed=options.seed, move=move
    )
    name = options.sticker if sticker is None else sticker.name(options.label)
    name = name if options.kind is Kind.STICKER else None
    label = _label(options, result.network, result.threshold, result.outranks, name)
    created = date.today().isoformat()  # noqa: DTZ011 (the user's own day)
    counts = [len({one.picture for one in each}) for each in (examples.shown, examples.other)]
    card = describe_taught(label, result.figures, base=base.name, created=created, pictures=counts)
    bundle = add_taught(base, label, folder, created=created, card=card, sticker=sticker)
    return TaughtBundle(bundle, label, result)


def _label(
    options: TeachOptions,
    network: TaughtNetwork,
    threshold: float,
    outranks: tuple[str, ...] = (),
    sticker: str | None = None,
) -> TaughtLabel:
    """The label as a bundle has it; raises ModelError naming the option that no label may have."""
    try:
        return TaughtLabel(
            name=options.label,
            view=options.view,
            title=options.shown_title,
            how=options.how or "as it was shown",
            threshold=threshold,
            kind=options.kind,
            sticker=sticker,
            hold=options.hold,
            outranks=outranks,
            network=network,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "LABEL" if first["loc"] in {(), ("name",)} else f"--{first['loc'][0]}"
        what = first["msg"].removeprefix("Value error, ")
        raise ModelError(what[:1].lower() + what[1:], where=place) from None


def new_sticker(options: TeachOptions) -> NewSticker | None:
    """The sticker of ``options`` as a file's content; None for one of ours, and for events.

    Raises StickerError for a file that is no sticker within the limits.
    """
    if options.kind is not Kind.STICKER:
        return None
    if options.sticker is None:
        return NewSticker(_drawn(options.title or options.label.replace("_", " ")), ".gif")
    if own_file(options.sticker) is not None:
        return None
    path = Path(options.sticker)
    if not path.is_file():
        do = "name one of ours, or a file"
        raise StickerError("is no sticker of ours and no file", where=options.sticker, do=do)
    load_sticker(path, 16, 16, StickerLimits())
    suffix = path.suffix.lower()
    return NewSticker(path.read_bytes(), suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else "")


def _drawn(text: str) -> bytes:
    with TemporaryDirectory(prefix="sidecar-sticker-") as folder:
        path = Path(folder) / "sticker.gif"
        draw_text_sticker(text, path)
        return path.read_bytes()
