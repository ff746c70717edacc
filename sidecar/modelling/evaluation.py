"""Measure bundles on a data set, end to end: from pictures to the labels that fire."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from config.errors import DatasetError, PictureError
from config.reaction_rule import Kind
from config.reaction_table import ReactionTable
from reactions.bundle import ModelBundle
from reactions.datasets.records import PictureRecord, Split
from reactions.datasets.store import Dataset, open_dataset
from reactions.detected_labels import read_detector
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LABELS, families_for
from reactions.landmark_types import Observation, RgbImage, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.object_detector import ObjectDetector
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.trained_heads import head_families, with_heads
from reactions.training.bundle_comparison import BundleComparison, PictureFires, compare_bundles
from reactions.training.detector_pictures import BoxedPicture, boxed_objects
from reactions.training.detector_report import DetectorReport, FoundBoxes, report_boxes
from reactions.training.label_names import Shown, meaning_of
from sidecar.media.pictures import read_picture
from sidecar.session.factories import models_for

LONGEST = 1280
"""Pixels of the longer side at which pictures are read."""


@dataclass(frozen=True, slots=True)
class EvaluationOutcome:
    """A comparison, and the pictures that could not be read."""

    comparison: BundleComparison
    notes: tuple[str, ...]
    only_test: bool
    """Whether pictures of the split ``test`` alone were measured."""
    objects: tuple[tuple[str, DetectorReport], ...] = ()
    """What the detector of each bundle that has one makes of the boxes, by the bundle's name."""


def fetched_for(
    bundles: Sequence[ModelBundle], rules: Callable[[ModelBundle], ReactionTable]
) -> Sequence[str]:
    """The names of the landmark models that ``evaluate_bundles`` needs."""
    names = (models_for(rules(bundle), bundle) for bundle in bundles)
    return tuple(dict.fromkeys(name for each in names for name in each))


class JudgedBundle:
    """What fires with a bundle and the reaction table ``rules``, in which it has its labels."""

    def __init__(self, bundle: ModelBundle, rules: ReactionTable) -> None:
        self._thresholds = {
            name: rule.threshold for name, rule in rules.items() if rule.kind is not Kind.OFF
        }
        self._outranks = {name: rules[name].outranks for name in self._thresholds}
        self.known = frozenset(self._thresholds)
        self.name = bundle.name
        taught = [label.spec() for label in bundle.labels if label.name in self.known]
        own = self.known & LABELS.keys()
        self.families = families_for(own).union(*(label.families for label in taught))
        self.families |= head_families(own, bundle.heads)
        shapes = HandShapeClassifier(bundle.weights)
        self.recognizer = Recognizer(
            own, shapes=shapes, taught=taught, own=lambda known: with_heads(known, bundle.heads)
        )
        self.detected = tuple(one.name for one in bundle.detected if one.name in self.known)
        self._detector = None
        if bundle.detector is not None and self.detected:
            card = read_detector(bundle.detector.with_suffix(".json"))
            self._detector = ObjectDetector(bundle.detector, card.wants())
        self.found: list[FoundBoxes] = []
        """What its detector found, picture by picture."""

    def look(self, observation: Observation, pixels: RgbImage, boxed: BoxedPicture) -> Observation:
        """``observation`` with what its detector finds in ``pixels``, which is kept."""
        if self._detector is None:
            return observation
        objects = self._detector.find(pixels)
        self.found.append((boxed, objects))
        return replace(observation, objects=objects)

    def report(self) -> DetectorReport | None:
        """How well its detector found the boxes; None where it has none."""
        if self._detector is None:
            return None
        thresholds = {name: self._thresholds[name] for name in self.detected}
        return report_boxes(self.found, self.detected, thresholds)

    def fires(self, names: dict[str, float]) -> frozenset[str]:
        """The labels at their thresholds that no other outranks."""
        fired = {name for name, score in names.items() if score >= self._thresholds[name]}
        yielding = {other for name in fired for other in self._outranks[name]}
        return frozenset(fired - yielding)


def evaluate_bundles(
    folder: Path,
    bundles: Sequence[ModelBundle],
    store: ModelStore,
    rules: Callable[[ModelBundle], ReactionTable],
    move: Callable[[float, str], None] = lambda share, what: None,
) -> EvaluationOutcome:
    """What one or two ``bundles`` make of the data set in ``folder``: of its split ``test``, or of
    all pictures where it has none. ``rules`` gives the reaction table of a server that uses a
    bundle.

    Raises DatasetError where no picture is labelled, ModelError without the landmark models.
    """
    dataset = open_dataset(folder)
    records = [record for record in dataset.records.values() if record.shown]
    test = [record for record in records if record.split is Split.TEST]
    if not records:
        do = "label its pictures first"
        raise DatasetError("holds no labelled picture", where=str(folder), do=do)
    judged = [JudgedBundle(bundle, rules(bundle)) for bundle in bundles]
    families = frozenset().union(*(each.families for each in judged))
    scheduler = LandmarkScheduler(store, families)
    found: list[PictureFires] = []
    notes = []
    for done, record in enumerate(test or records):
        move(done / len(test or records), record.name)
        try:
            found.append(_judge_picture(dataset, record, scheduler, judged))
        except PictureError as error:
            notes.append(f"{record.name}: {error.what}")
    known = frozenset().union(*(each.known for each in judged))
    names = tuple(bundle.name for bundle in bundles)
    reports = [(each.name, each.report()) for each in judged]
    objects = tuple((name, report) for name, report in reports if report is not None)
    comparison = compare_bundles(names, found, known)
    return EvaluationOutcome(comparison, tuple(notes), bool(test), objects)


def _judge_picture(
    dataset: Dataset,
    record: PictureRecord,
    scheduler: LandmarkScheduler,
    judged: Sequence[JudgedBundle],
) -> PictureFires:
    pixels = read_picture(dataset.path(record), longest=LONGEST).pixels
    observation, _ = scheduler.observe(Sample(pixels, 0.0), None)
    fired = []
    for each in judged:
        scores: dict[str, float] = {}
        seen = each.look(observation, pixels, boxed_objects(dataset, record, each.detected))
        for score in each.recognizer.recognize(seen, None)[0]:
            scores[score.label] = max(score.score, scores.get(score.label, 0.0))
        fired.append(each.fires(scores))
    meanings = [meaning_of(label) for label in record.shown]
    shown = frozenset(one.label for one in meanings if one.shown is Shown.LABEL)
    allowed = shown.union(*(one.right | one.may_fire for one in meanings))
    person = record.origin.person or record.origin.source or record.name
    return PictureFires(person, shown, allowed, tuple(fired))
