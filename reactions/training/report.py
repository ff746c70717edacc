"""``python -m reactions.training.report FOLDER``: what the shipped recogniser sees in photos and
clips of real people, source by source, as Markdown tables.

Photos are judged by one frame at the shipped thresholds, clips by the reactions that the shipped
policy starts. FOLDER has an ``index.csv`` as docs/training.md describes.

``--hands FILE.npz`` instead reads recorded landmarks by the classifier alone and prints JSON:
recall a shape, pooled and as the mean over people, and fires on all other hands.

``--stream`` judges everything as a meeting sees it: docs/recognition.md.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import load_reaction_table
from reactions.gestures.hand_classes import NONE, SHAPES
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LABELS
from reactions.landmark_types import Observation
from reactions.landmarks.model_store import ModelStore
from reactions.pipeline import RecognitionPipeline
from reactions.policy import Policy
from reactions.reaction_event import ReactionStage
from reactions.training.evaluation.command import StreamOptions, report_streams
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.readings import clip_samples
from reactions.training.exit_status import exits_on_errors
from reactions.training.hands_report import read_shapes, report_hands
from reactions.training.label_names import Shown, meaning_of
from reactions.training.photos import Photo, read_index
from reactions.training.recorded_hands import RecordedHands
from reactions.training.scored_photos import is_scored, relabelled
from reactions.training.sightings import look

_SHAPES = frozenset(SHAPES)


@dataclass(frozen=True, slots=True)
class Judged:
    """One photo: was a hand found, and which labels fired in it."""

    photo: Photo
    found: bool
    fired: frozenset[str]

    @property
    def shown(self) -> str:
        """The label that the photo shows, or nothing."""
        meaning = meaning_of(self.photo.label)
        return meaning.label if meaning.shown is Shown.LABEL else ""

    @property
    def right(self) -> bool:
        """Whether that label fires: a hand's shape itself, of others also what is as good."""
        if self.shown in _SHAPES:
            return self.shown in self.fired
        return bool(meaning_of(self.photo.label).right & self.fired)

    @property
    def allowed(self) -> frozenset[str]:
        """What the photo shows besides."""
        return frozenset({self.shown}) | meaning_of(self.photo.label).may_fire


def judge(
    photos: Sequence[Photo], seen: Sequence[Observation], table: Mapping[str, ReactionRule]
) -> list[Judged]:
    """Each of ``photos``, in which is ``seen`` what is found there, at ``table``'s thresholds."""
    recognizer = Recognizer(list(table))
    judged = []
    for photo, observation in zip(photos, seen, strict=True):
        scores, _ = recognizer.recognize(observation, None)
        fired = {each.label for each in scores if each.score >= table[each.label].threshold}
        judged.append(Judged(photo, bool(observation.hands), frozenset(fired)))
    return judged


def recall_table(judged: Sequence[Judged]) -> Iterator[str]:
    """Lines: by source and label, how many photos show a found hand, are named, and misnamed."""
    yield "| source | shows | photos | hand found | right | recall | wrong shape too |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | --- |"
    for source, group in _by(judged, lambda each: each.photo.source).items():
        posed = [each for each in group if each.shown]
        for label, each in _by(posed, lambda each: each.shown).items():
            yield _recall_row(source, label, each)
        if posed:
            yield _recall_row(f"**{source}**", "**all**", posed)


def _recall_row(source: str, label: str, judged: Sequence[Judged]) -> str:
    right = sum(each.right for each in judged)
    wrong = Counter(
        name for each in judged for name in sorted((each.fired & _SHAPES) - each.allowed)
    )
    found = sum(each.found for each in judged)
    share = right / len(judged)
    return (
        f"| {source} | {label} | {len(judged)} | {found} | {right} | {share:.1%} | {_list(wrong)} |"
    )


def fires_table(judged: Sequence[Judged], table: Mapping[str, ReactionRule]) -> Iterator[str]:
    """Lines: by source and look-alike, in how many photos a hand shape or another sticker fired."""
    others = frozenset(n for n, rule in table.items() if rule.kind is Kind.STICKER) - _SHAPES
    yield "| source | look-alike | photos | hand found | fired a shape | share | which | others |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |"
    for source, group in _by(judged, lambda each: each.photo.source).items():
        alike = [each for each in group if each.photo.shape == NONE]
        for label, each in _by(alike, lambda each: each.photo.label).items():
            yield _fires_row(source, label, each, others)
        if alike:
            yield _fires_row(f"**{source}**", "**all**", alike, others)


def _fires_row(source: str, label: str, judged: Sequence[Judged], others: frozenset[str]) -> str:
    found = sum(each.found for each in judged)
    fired = sum(bool(each.fired & _SHAPES) for each in judged)
    which = Counter(name for each in judged for name in each.fired & _SHAPES)
    more = Counter(name for each in judged for name in each.fired & others)
    share = fired / len(judged)
    return (
        f"| {source} | {label} | {len(judged)} | {found} | {fired} | {share:.1%} "
        f"| {_list(which)} | {_list(more)} |"
    )


def clips_table(
    folder: Path, clips: Sequence[Photo], store: ModelStore, table: Mapping[str, ReactionRule]
) -> Iterator[str]:
    """Lines: the reactions that the policy starts in each clip."""
    detector = RecognitionPipeline(store, list(table))
    yield "| source | clip | seconds | stickers started | events started |"
    yield "| --- | --- | ---: | --- | --- |"
    for clip in clips:
        started, seconds = react(folder / clip.file, detector, table)
        stickers = {n: c for n, c in started.items() if table[n].kind is Kind.STICKER}
        events = {n: c for n, c in started.items() if n not in stickers}
        yield (
            f"| {clip.source} | {clip.label} | {seconds:.0f} "
            f"| {_list(stickers)} | {_list(events)} |"
        )


def react(
    path: Path, detector: RecognitionPipeline, table: Mapping[str, ReactionRule]
) -> tuple[Counter[str], float]:
    """How often each label's reaction starts in the clip at ``path``, and its length in seconds."""
    policy, memory, now = Policy(table), None, 0.0
    started: Counter[str] = Counter()
    for sample in clip_samples(path):
        now = sample.time
        detection = detector.detect(sample, memory)
        memory = detection.memory
        for event in policy.observe("clip", detection.scores, now):
            if event.stage is ReactionStage.STARTED:
                started[event.label] += 1
    return started, now


def confusion_plot(judged: Sequence[Judged], path: Path) -> None:
    """A picture of what each shape's photos fire, pooled over the sources."""
    from matplotlib.figure import Figure

    truths = [*SHAPES, NONE]
    counts = np.zeros((len(truths), len(truths)))
    for each in judged:
        if each.photo.shape is not None:
            row = truths.index(each.photo.shape)
            fired = sorted(each.fired & _SHAPES)
            for name in fired or [NONE]:
                counts[row, truths.index(name)] += 1
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(7, 6.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(truths)), truths, rotation=60, ha="right")
    axes.set_yticks(range(len(truths)), truths)
    axes.set_xlabel("fired")
    axes.set_ylabel("shown")
    for row, column in zip(*np.nonzero(counts), strict=True):
        shade = "white" if shares[row, column] > 0.5 else "black"
        text = f"{counts[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", color=shade, fontsize=7)
    figure.savefig(path, dpi=130)


def _by(judged: Sequence[Judged], key: Callable[[Judged], str]) -> Mapping[str, list[Judged]]:
    groups: dict[str, list[Judged]] = {}
    for each in judged:
        groups.setdefault(key(each), []).append(each)
    return groups


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) or "–"


def hands_json(path: Path) -> str:
    """What the shipped classifier makes of the recorded hands in ``path``, as JSON."""
    hands = RecordedHands.load(path)
    scores = read_shapes(HandShapeClassifier(), hands)
    return json.dumps(asdict(report_hands(hands, scores, load_reaction_table(LABELS))), indent=2)


def _print_tables(folder: Path, cache: Path | None, plot: Path | None, with_clips: bool) -> None:
    store, table = ModelStore(), load_reaction_table(LABELS)
    index = [relabelled(row) for row in read_index(folder)]
    photos = [row for row in index if row.kind == "image" and is_scored(row)]
    judged = judge(photos, look(folder, photos, store, cache), table)
    print(*recall_table(judged), "", *fires_table(judged, table), sep="\n")
    if with_clips:
        clips = [row for row in index if row.kind == "video"]
        print("", *clips_table(folder, clips, store, table), sep="\n")
    if plot:
        confusion_plot(judged, plot)


def _add_stream_options(parser: argparse.ArgumentParser) -> None:
    stream = parser.add_argument_group("as a meeting sees it")
    stream.add_argument("--stream", action="store_true", help="photos as streams, too")
    stream.add_argument("--out", type=Path, default=Path("out/recognition"), help="folder")
    stream.add_argument("--sample", type=_positive, metavar="N", help="only N of the cases")
    names = ", ".join(Condition)
    stream.add_argument(
        "--condition", type=Condition, action="append", help=f"only this one of: {names}"
    )
    stream.add_argument(
        "--minutes", type=_positive, metavar="N", help="report what is judged after N minutes"
    )
    stream.add_argument("--workers", type=_positive, default=os.cpu_count() or 1)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1 is needed")
    return number


def _stream_options(options: argparse.Namespace) -> StreamOptions:
    return StreamOptions(
        options.folder,
        options.out,
        options.cache,
        options.sample,
        options.condition or tuple(Condition),
        options.workers,
        options.minutes,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="reactions.training.report")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("folder", type=Path, nargs="?")
    source.add_argument("--hands", type=Path, metavar="FILE", help="recorded landmarks, .npz")
    parser.add_argument("--cache", type=Path, help="folder that keeps landmarks between runs")
    parser.add_argument("--plot", type=Path, help="also draw which shapes are taken for which")
    parser.add_argument("--no-clips", action="store_true")
    _add_stream_options(parser)
    options = parser.parse_args()
    with exits_on_errors():
        if options.hands:
            print(hands_json(options.hands))
        elif options.stream:
            report_streams(_stream_options(options), load_reaction_table(LABELS))
        else:
            _print_tables(options.folder, options.cache, options.plot, not options.no_clips)


if __name__ == "__main__":
    main()
