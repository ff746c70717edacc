"""What one sample costs, scene by scene, against what its models alone cost."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from unittest.mock import patch

from ai_edge_litert.interpreter import Interpreter

from bench.table import Table
from config.reaction_table import load_reaction_table
from reactions.labels import LABELS
from reactions.landmark_types import Sample
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, POSES, Pose, Scene, render
from reactions.mannequin.choreography import idle
from reactions.pipeline import Memory, RecognitionPipeline

RATE = 5.0
WARM_UP = 5

MIX = {"no hand": 0.85, "one hand": 0.10, "two hands": 0.05}
"""How often webcams show how many hands: an assumption about meetings, not a measurement."""


def scenes() -> dict[str, Pose]:
    """A pose for each scene."""
    one = POSES["open_palm"]
    return {"no hand": POSES["neutral"], "one hand": one, "two hands": replace(one, left=one.right)}


@dataclass(slots=True)
class Invokes:
    """The CPU time that models took since it was last asked for."""

    seconds: float = 0.0

    def take(self) -> float:
        taken, self.seconds = self.seconds, 0.0
        return taken


@contextmanager
def counted() -> Iterator[Invokes]:
    """Count the CPU time of every model that is invoked meanwhile."""
    invokes, invoke = Invokes(), Interpreter.invoke

    def timed(interpreter: Interpreter) -> None:
        began = time.process_time()
        invoke(interpreter)
        invokes.seconds += time.process_time() - began

    with patch.object(Interpreter, "invoke", timed):
        yield invokes


@dataclass(slots=True)
class Cost:
    """CPU milliseconds a sample."""

    whole: list[float] = field(default_factory=list)
    models: list[float] = field(default_factory=list)


def cost(detector: RecognitionPipeline, pose: Pose, count: int, invokes: Invokes) -> Cost:
    """What each of ``count`` samples of a mannequin in ``pose`` costs, tracked from one to next."""
    person = next(iter(CAST.values()))
    found, memory = Cost(), None
    for n in range(count + WARM_UP):
        at = n / RATE
        sample = Sample(render(person, idle(pose, at), Scene(), seed=n), at)
        invokes.take()
        began = time.process_time()
        memory = step(detector, sample, memory)
        spent = time.process_time() - began
        if n >= WARM_UP:
            found.whole.append(spent * 1000)
            found.models.append(invokes.take() * 1000)
    return found


def step(detector: RecognitionPipeline, sample: Sample, memory: Memory | None) -> Memory:
    return detector.detect(sample, memory).memory


def mean(values: Sequence[float]) -> float:
    """The mean without the slowest tenth: cadence makes cheap and dear samples alternate, so a
    median would hide one kind, and the machine's own hiccups are not what is asked for."""
    return statistics.fmean(sorted(values)[: max(1, int(len(values) * 0.9))])


def measure(quick: bool) -> Iterator[Table]:
    """A row a scene, and one for the mix."""
    table = Table(
        "Detection, CPU ms a sample of 640x360",
        ("scene", "whole", "models alone", "whole / models"),
        "All shipped labels, one thread, tracked at 5 samples a second; conversion to RGB is not "
        "in it. The mix is 85 % no hand, 10 % one, 5 % two.",
    )
    detector = RecognitionPipeline(ModelStore(), load_reaction_table(LABELS))
    whole, models = 0.0, 0.0
    with counted() as invokes:
        for name, pose in scenes().items():
            found = cost(detector, pose, 12 if quick else 60, invokes)
            one, model = mean(found.whole), mean(found.models)
            table.add(name, one, model, one / model)
            whole, models = whole + MIX[name] * one, models + MIX[name] * model
    table.add("mix", whole, models, whole / models)
    yield table
