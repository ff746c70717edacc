"""What the shipped recogniser and policy make of each case's landmarks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.reaction_rule import Kind, ReactionRule
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LABELS, Group, families_for
from reactions.landmark_types import Observation
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.policy import Policy
from reactions.reaction_event import ReactionStage
from reactions.training.evaluation.cases import Case, CaseKind
from reactions.training.evaluation.landmark_cache import LandmarkCache
from reactions.training.evaluation.readings import CaseReader, Reading
from reactions.training.label_names import Shown

_AFTER_HOLD = 1.6
"""Seconds that a label is shown beyond its hold: evidence starts late, and motion later still."""
_MOVING = 1.6
"""Seconds more for a motion, which is seen only after its first swings."""
_NOTHING = 3.6
"""Seconds that what is no label is shown: longer than the hold of any sticker."""
_FOUND = 0.5
"""Share of the samples in which a hand must be found."""


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """One case, seen as a still picture and as a stream."""

    case: Case
    found_still: bool
    """Whether a hand was found."""
    found_stream: bool
    """Whether one was in at least half of the samples that show it."""
    fired: frozenset[str]
    """Labels at their thresholds in the still picture."""
    started: Mapping[str, int]
    """How often each label's reaction started in the stream."""
    seconds: float
    """Length of the stream."""
    wrong_fired: frozenset[str]
    """Stickers among ``fired`` that the case does not show."""
    wrong_started: Mapping[str, int]

    @property
    def named_still(self) -> bool:
        """Whether the still picture fires what it shows."""
        return bool(self.case.meaning.right & self.fired)

    @property
    def named_stream(self) -> bool:
        """Whether the stream starts what it shows."""
        return bool(self.case.meaning.right & self.started.keys())


class Judge:
    """Judges cases at the rules of ``table``. Raises ModelError where a model is missing."""

    def __init__(self, folder: Path, table: Mapping[str, ReactionRule], cache: Path | None) -> None:
        self._table = {name: rule for name, rule in table.items() if rule.kind is not Kind.OFF}
        scheduler = LandmarkScheduler(ModelStore(), families_for(self._table))
        self.reader = CaseReader(folder, scheduler, LandmarkCache(cache))
        self._recognizer = Recognizer(list(self._table))

    def judge(self, cases: Sequence[Case]) -> list[CaseVerdict]:
        """A verdict on each of ``cases`` that can be seen under its condition."""
        return list(self._verdicts(cases))

    def _verdicts(self, cases: Sequence[Case]) -> Iterator[CaseVerdict]:
        for case in cases:
            reading = self.reader.read(case, self._held(case))
            if reading is not None:
                yield self._verdict(case, reading)

    def _verdict(self, case: Case, reading: Reading) -> CaseVerdict:
        fired = frozenset() if reading.still is None else self._fired(reading.still)
        started = self._started(reading.stream)
        shown = [each for each in reading.stream if each.time >= reading.begins]
        found = sum(bool(each.hands) for each in shown)
        wrong = frozenset(name for name in fired | started.keys() if self._is_wrong(case, name))
        return CaseVerdict(
            case,
            found_still=reading.still is not None and bool(reading.still.hands),
            found_stream=found >= _FOUND * max(1, len(shown)),
            fired=fired,
            started=started,
            seconds=reading.seconds,
            wrong_fired=fired & wrong,
            wrong_started={name: n for name, n in started.items() if name in wrong},
        )

    def _fired(self, still: Observation) -> frozenset[str]:
        scores, _ = self._recognizer.recognize(still, None)
        table = self._table
        return frozenset(each.label for each in scores if each.score >= table[each.label].threshold)

    def _started(self, stream: Sequence[Observation]) -> Counter[str]:
        policy, motion = Policy(self._table), None
        started: Counter[str] = Counter()
        for observation in stream:
            scores, motion = self._recognizer.recognize(observation, motion)
            for event in policy.observe("stream", scores, observation.time):
                started[event.label] += event.stage is ReactionStage.STARTED
        return +started

    def _is_wrong(self, case: Case, name: str) -> bool:
        """Whether ``name`` plays a sticker over what does not show it."""
        meaning = case.meaning
        if self._table[name].kind is not Kind.STICKER or meaning.shown is Shown.UNSCORED:
            return False
        yielding = {
            other
            for label in meaning.right & self._table.keys()
            for other in self._table[label].outranks
        }
        allowed = meaning.right | meaning.may_fire | yielding
        # A clip moves: who smiles in it for three seconds is not a frozen picture.
        smiles = {"smile", "laugh"} if case.kind is CaseKind.CLIP else set()
        return name not in allowed - smiles

    def _held(self, case: Case) -> float:
        label = case.meaning.label
        if case.meaning.shown is not Shown.LABEL:
            return _NOTHING
        hold = self._table[label].hold if label in self._table else 0.0
        moving = label in LABELS and LABELS[label].group is Group.MOTION
        return round(hold + _AFTER_HOLD + (_MOVING if moving else 0.0), 1)
