"""The recogniser looks at the pictures of a data set: what it proposes, and what it doubts."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from config.errors import PictureError
from config.reaction_rule import Kind, ReactionRule
from reactions.datasets.opinions import Doubt, ModelOpinion, OpinionFile, doubts_of, opinion_of
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import PictureRecord
from reactions.datasets.store import Dataset
from reactions.gestures.hand_classifier import SHIPPED
from reactions.labels import LABELS, Group
from reactions.landmark_types import Sample
from reactions.pipeline import PipelineConfig, RecognitionPipeline
from sidecar.media.pictures import read_picture

_UNSEEN: Final = frozenset({Group.MOTION, Group.PRESENCE})
"""Groups of labels that a still picture can't show."""


class RecogniserJudge:
    """Implements ``PictureJudge`` by the models of ``config``, loaded with the first picture.

    Belongs to one thread. Raises ModelError where a model is missing.
    """

    def __init__(self, config: PipelineConfig, table: Mapping[str, ReactionRule]) -> None:
        self._config = config
        self._pipeline: RecognitionPipeline | None = None
        shown = {spec.name for spec in LABELS.values() if spec.group not in _UNSEEN}
        shown.update(label.name for label in config.taught)
        shown.update(label.name for label in config.detected)
        self._thresholds = {
            label: rule.threshold
            for label, rule in table.items()
            if rule.kind is not Kind.OFF and label in shown
        }
        self.judged = frozenset(self._thresholds)
        """The labels that it can see in a still picture."""
        self.model = _identity(config, self._thresholds)
        """Differs for another release, classifier or table."""

    def __call__(self, record: PictureRecord, path: Path) -> ModelOpinion:
        picture = read_picture(path)
        if self._pipeline is None:
            self._pipeline = self._config.load()
        sample = Sample(picture.pixels, 0.0, landmarks=True)
        detection = self._pipeline.detect(sample, None)
        return opinion_of(record, self.model, detection, self._thresholds)


def _identity(config: PipelineConfig, thresholds: Mapping[str, float]) -> str:
    digest = hashlib.sha256((config.hand_classifier or SHIPPED).read_bytes())
    parts = (config.hand_model, config.taught, config.heads, config.detected)
    digest.update(repr((*parts, sorted(thresholds.items()))).encode())
    return f"{version('reaction-sidecar')}-{digest.hexdigest()[:16]}"


def find_doubts(
    dataset: Dataset,
    judge: RecogniserJudge,
    problems: ProblemList,
    move: Callable[[float, str], None] = lambda share, what: None,
) -> Iterator[tuple[PictureRecord, Doubt]]:
    """The labels of ``dataset`` that ``judge`` doubts, picture by picture.

    Pictures that were looked at before are not looked at again. Those that can't be read are
    listed. ``move`` gets the share that is done and a name.
    """
    opinions = OpinionFile(dataset, judge.model)
    for done, record in enumerate(dataset.records.values()):
        move(done / len(dataset.records), record.name)
        opinion = opinions.get(record.file)
        if opinion is None and judge.judged.intersection(record.shown):
            try:
                opinion = judge(record, dataset.path(record))
            except PictureError as error:
                problems.add(record.name, 0, error.what)
                continue
            opinions.put(opinion)
        if opinion is not None:
            for doubt in doubts_of(record, opinion, judge.judged):
                yield record, doubt
    move(1.0, "")
