"""What the shipped recogniser and policy make of each case's landmarks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.landmark_cache import LandmarkCache
from reactions.training.evaluation.readings import CaseReader, Reading
from reactions.training.evaluation.skin_tone import ApparentTone, apparent_tone
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
    tone: ApparentTone | None = None
    """Of the skin in a plain photo."""

    @property
    def named_still(self) -> bool:
        """Whether the still picture fires what it shows."""
        return bool(self.case.meaning.right & self.fired)

    @property
    def named_stream(self) -> bool:
        """Whether the stream starts what it shows."""
        return bool(self.case.meaning.right & self.started.keys())


class Judge:
    """Judges cases at the rules of ``table``. Raises ModelError where a model is missing.

    A label that ships as off is judged as an event, and only in what shows it: what else fires
    there is what fires with the label off.
    """

    def __init__(self, folder: Path, table: Mapping[str, ReactionRule], cache: Path | None) -> None:
        off = {name: rule for name, rule in table.items() if rule.kind is Kind.OFF}
        self._table = {name: rule for name, rule in table.items() if name not in off}
        self._switched_on = {
            name: rule.model_copy(update={"kind": Kind.EVENT}) for name, rule in off.items()
        }
        self._folder, self._cache = folder, cache
        scheduler = LandmarkScheduler(ModelStore(), families_for(self._table))
        self.reader = CaseReader(folder, scheduler, LandmarkCache(cache))
        self._recognizer = Recognizer(list(table))

    def judge(self, cases: Sequence[Case]) -> list[CaseVerdict]:
        """A verdict on each of ``cases`` that can be seen under its condition."""
        return list(self._verdicts(cases))

    def _verdicts(self, cases: Sequence[Case]) -> Iterator[CaseVerdict]:
        for case in cases:
            off = case.meaning.label in self._switched_on
            reader = self._full_reader if off else self.reader
            reading = reader.read(case, self._held(case))
            if reading is not None:
                yield self._verdict(case, reading)

    @cached_property
    def _full_reader(self) -> CaseReader:
        """With the models of all labels: for what shows one that ships as off."""
        families = families_for({**self._table, **self._switched_on})
        scheduler = LandmarkScheduler(ModelStore(), families)
        return CaseReader(self._folder, scheduler, LandmarkCache(self._cache, "all labels "))

    def _verdict(self, case: Case, reading: Reading) -> CaseVerdict:
        fired = frozenset() if reading.still is None else self._fired(reading.still, self._table)
        started = self._started(reading.stream, self._table)
        shown = [each for each in reading.stream if each.time >= reading.begins]
        found = sum(bool(each.hands) for each in shown)
        wrong = frozenset(name for name in fired | started.keys() if self._is_wrong(case, name))
        return CaseVerdict(
            case,
            found_still=reading.still is not None and bool(reading.still.hands),
            found_stream=found >= _FOUND * max(1, len(shown)),
            fired=fired | self._fired_if_on(case, reading),
            started=started | self._started_if_on(case, reading),
            seconds=reading.seconds,
            wrong_fired=fired & wrong,
            wrong_started={name: n for name, n in started.items() if name in wrong},
            tone=self._tone(case, reading),
        )

    def _tone(self, case: Case, reading: Reading) -> ApparentTone | None:
        plain = case.kind is CaseKind.PHOTO and case.condition is Condition.PLAIN
        if reading.still is None or not plain:
            return None
        return apparent_tone(self.reader.picture(case), reading.still)

    def _fired(self, still: Observation, table: Mapping[str, ReactionRule]) -> frozenset[str]:
        scores, _ = self._recognizer.recognize(still, None)
        return frozenset(
            each.label
            for each in scores
            if each.label in table and each.score >= table[each.label].threshold
        )

    def _started(
        self, stream: Sequence[Observation], table: Mapping[str, ReactionRule]
    ) -> Counter[str]:
        policy, motion = Policy(table), None
        started: Counter[str] = Counter()
        for observation in stream:
            every, motion = self._recognizer.recognize(observation, motion)
            scores = [each for each in every if each.label in table]
            for event in policy.observe("stream", scores, observation.time):
                started[event.label] += event.stage is ReactionStage.STARTED
        return +started

    def _fired_if_on(self, case: Case, reading: Reading) -> frozenset[str]:
        """The label that ``case`` shows, where that ships as off and would fire if it were on."""
        rule = self._switched_on.get(case.meaning.label)
        if rule is None or reading.still is None:
            return frozenset()
        return self._fired(reading.still, {case.meaning.label: rule})

    def _started_if_on(self, case: Case, reading: Reading) -> Counter[str]:
        label = case.meaning.label
        rule = self._switched_on.get(label)
        if rule is None:
            return Counter()
        started = self._started(reading.stream, {**self._table, label: rule})
        return Counter({label: started[label]}) if started[label] else Counter()

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
        rule = self._table.get(label) or self._switched_on.get(label)
        hold = rule.hold if rule else 0.0
        moving = label in LABELS and LABELS[label].group is Group.MOTION
        return round(hold + _AFTER_HOLD + (_MOVING if moving else 0.0), 1)
