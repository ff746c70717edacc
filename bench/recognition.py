"""How well the shipped recogniser names what mannequins show, and what look-alikes set off.

Every pose is seen as a camera would: taken up from a neutral stance and then held, sampled five
times a second, with the memory that travels from sample to sample. Landmarks are kept in
``out/landmarks``: a run that was interrupted goes on where it was, and one after a change of
classifier, rules or thresholds draws and detects nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product, repeat
from multiprocessing import get_context
from pathlib import Path

from bench.table import Table
from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import load_reaction_table
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LABELS, Group, LabelScore, families_for
from reactions.landmark_types import ModelFamily, Observation, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.mannequin import (
    CAST,
    FAR,
    LOOKALIKES,
    MEDIUM,
    MONK,
    NEAR,
    POSES,
    Choreography,
    Person,
    Scene,
    render,
)
from reactions.mannequin.choreography import Step
from reactions.pipeline import Memory, RecognitionPipeline
from reactions.training.evaluation.landmark_cache import LandmarkCache

RATE = 5.0
"""Samples a second: the sampler's default."""
TRANSITION = 0.6
DISTANCES, YAWS = (NEAR, MEDIUM, FAR), (-20.0, 0.0, 20.0)
MOVING = 0.6
"""Seconds that a motion counts."""
HELD = 0.5
"""Seconds that a pose is held: three samples."""
LATE = 0.8
"""Seconds until a second hand or a vessel is looked for and a body is read: in one of several
samples."""
LANDMARKS = Path("out/landmarks")
"""Where landmarks are kept, as ``make recognition`` keeps its own."""
_SELDOM = {ModelFamily.BODY, ModelFamily.OBJECTS}
LEADS = {
    "wave": 1.0,
    "clap": 1.2,
    "nod": 1.4,
    "shake": 1.4,
    **{one: LATE for one, spec in LABELS.items() if spec.group is Group.TWO_HANDS},
    **{one: LATE for one, spec in LABELS.items() if spec.families & _SELDOM},
}
"""Seconds that some poses are held before they count: three swings of a motion take as long."""
BEFORE: Mapping[str, Sequence[Step]] = {"back": (("away", 5.2),)}
"""What comes before a pose that only counts after something else."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Who is seen from where."""

    tone: int
    """Index into the Monk scale."""
    distance: float
    yaw: float

    @property
    def person(self) -> Person:
        """The cast member whose skin is nearest to the tone, with that tone."""
        nearest = min(CAST.values(), key=lambda one: abs(MONK.index(one.skin) - self.tone))
        return replace(nearest, skin=MONK[self.tone])

    @property
    def scene(self) -> Scene:
        return Scene(yaw=self.yaw, distance=self.distance)


@dataclass(slots=True)
class Tally:
    """What the recogniser made of one pose, over all frames in which it was held."""

    held: int = 0
    named: int = 0
    """Frames in which the pose's own label reached its threshold."""
    fired: Counter[str] = field(default_factory=Counter)
    """How often each other label that is not mere presence did."""
    faceless: int = 0
    handless: int = 0

    @property
    def recall(self) -> float:
        return self.named / self.held if self.held else 0.0

    @property
    def alarms(self) -> float:
        """The share of frames in which anything fired that wasn't held; at most one a frame."""
        return self.fired["any"] / self.held if self.held else 0.0


def cells(
    tones: Sequence[int], distances: Sequence[float], yaws: Sequence[float]
) -> Iterator[Cell]:
    """Every combination."""
    for tone, distance, yaw in product(tones, distances, yaws):
        yield Cell(tone, distance, yaw)


def cells_in_turn() -> Iterator[Cell]:
    """30 cells: each of ten tones from every distance, and from each yaw in turn."""
    for turn, distance in enumerate(DISTANCES):
        for tone in range(10):
            yield Cell(tone, distance, YAWS[(tone + turn) % len(YAWS)])


@dataclass(frozen=True, slots=True)
class Take:
    """A pose that is taken up and held, and the part of it that counts."""

    play: Choreography
    counts_from: float
    end: float

    @property
    def times(self) -> Iterator[float]:
        """When it is sampled, seconds."""
        return (index / RATE for index in range(int(self.end * RATE) + 1))

    def counts(self, time: float) -> bool:
        return self.counts_from - 1e-6 <= time <= self.end


def take_of(name: str, cell: Cell, *, seed: int = 0) -> Take:
    """How ``name`` is acted in ``cell``."""
    lead = LEADS.get(name, 0.0)
    hold = lead + MOVING if lead else HELD
    steps = [("neutral", 0.1), *BEFORE.get(name, ()), (name, hold)]
    play = Choreography(steps, TRANSITION, seed=seed + cell.tone)
    return Take(play, play.holds[-1].start + lead, play.holds[-1].end)


def held_samples(take: Take, cell: Cell) -> Iterator[Sample]:
    """The samples of ``take`` in ``cell``."""
    for index, time in enumerate(take.times):
        yield Sample(render(cell.person, take.play.pose_at(time), cell.scene, seed=index), time)


Seen = tuple[Observation, Sequence[LabelScore]]


def watch(
    detector: RecognitionPipeline,
    table: Mapping[str, ReactionRule],
    name: str,
    where: Sequence[Cell],
) -> Tally:
    """Show ``name`` in every cell of ``where`` and count what single frames say."""
    tally = Tally()
    for cell in where:
        take = take_of(name, cell)
        _count(tally, _detected(detector, held_samples(take, cell)), take, table, name)
    return tally


def _detected(detector: RecognitionPipeline, samples: Iterable[Sample]) -> Iterator[Seen]:
    memory: Memory | None = None
    for sample in samples:
        observation, detection = detector.observe(sample, memory)
        memory = detection.memory
        yield observation, detection.scores


def _count(
    tally: Tally, seen: Iterable[Seen], take: Take, table: Mapping[str, ReactionRule], name: str
) -> None:
    for observation, scores in seen:
        if not take.counts(observation.time):
            continue
        firing = {score.label for score in scores if score.score >= table[score.label].threshold}
        tally.held += 1
        tally.named += name in firing
        tally.faceless += observation.face is None
        tally.handless += not observation.hands
        wrong = sorted(firing - related(name, table))
        tally.fired.update(wrong)
        tally.fired["any"] += bool(wrong)


def related(name: str, table: Mapping[str, ReactionRule]) -> set[str]:
    """What may fire along with ``name``: presence, what gives way to it in a meeting, its smile."""
    presence = {one for one, spec in LABELS.items() if spec.group is Group.PRESENCE}
    events = {one for one, rule in table.items() if rule.kind is not Kind.STICKER}
    yielding = set(table[name].outranks) if name in table else set()
    smiling = {"smile"} if name in POSES and POSES[name].face.smile > 0 else set()
    # A hand that shows nothing in particular is half open: that may be an open palm.
    shown = {"open_palm"} if name == "hand" else set()
    return presence | events | yielding | smiling | shown | {name}


def measure(quick: bool) -> Iterator[Table]:
    """Labels and look-alikes in 30 cells (2 when quick), one process a core."""
    where = [Cell(1, MEDIUM, 0.0), Cell(7, MEDIUM, 20.0)] if quick else list(cells_in_turn())
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_kept) as pool:
        yield _table("Mannequins holding a pose", "named", POSES, pool, where)
        yield _table("Mannequins that only look alike", "", LOOKALIKES, pool, where)


class KeptWatch:
    """Counts as ``watch`` does, from landmarks that are kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        """Load the shipped models and table. Raises ModelError where a model is missing."""
        self._scheduler = LandmarkScheduler(ModelStore(), families_for(LABELS))
        self._recognizer = Recognizer(list(LABELS))
        self._cache = LandmarkCache(folder, "all labels ")
        self._table = load_reaction_table(LABELS)

    def tally(self, name: str, where: Sequence[Cell]) -> Tally:
        """What single frames say of ``name`` in the cells of ``where``."""
        tally = Tally()
        for cell in where:
            take = take_of(name, cell)
            seen = self._scored(self._landmarks(name, cell, take))
            _count(tally, seen, take, self._table, name)
        return tally

    def _landmarks(self, name: str, cell: Cell, take: Take) -> Sequence[Observation]:
        key = f"bench {name} {cell} {BEFORE.get(name)} {TRANSITION} {RATE} {take.end}"
        return self._cache.observations(
            key, lambda: list(self._watched(held_samples(take, cell))), drawn=True
        )

    def _watched(self, samples: Iterable[Sample]) -> Iterator[Observation]:
        tracks = None
        for sample in samples:
            observation, tracks = self._scheduler.observe(sample, tracks)
            yield observation

    def _scored(self, observations: Iterable[Observation]) -> Iterator[Seen]:
        motion = None
        for observation in observations:
            scores, motion = self._recognizer.recognize(observation, motion)
            yield observation, scores


@cache
def _kept() -> KeptWatch:
    """The one of this process."""
    return KeptWatch(LANDMARKS)


def _watch(name: str, where: Sequence[Cell]) -> Tally:
    return _kept().tally(name, where)


def _table(
    title: str, named: str, names: Collection[str], pool: Executor, where: Sequence[Cell]
) -> Table:
    note = (
        f"{len(where)} combinations of skin tone, distance and yaw, {RATE:.0f} samples a second; "
        "single frames at the shipped thresholds."
    )
    columns = ["pose", "frames", *([named] if named else []), "others fire", "which", "no hand"]
    result = Table(title, columns, note)
    for name, tally in zip(names, pool.map(_watch, names, repeat(where)), strict=True):
        which = ", ".join(f"{one} {n}" for one, n in tally.fired.most_common(4) if one != "any")
        share = [f"{tally.recall:.1%}"] if named else []
        result.add(
            name, tally.held, *share, f"{tally.alarms:.1%}", which or "–", f"{tally.handless}"
        )
    return result
