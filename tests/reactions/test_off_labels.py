"""A label that is off costs nothing: counted in runs of models and calls of rules, not in time."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from ai_edge_litert.interpreter import Interpreter

from config.reaction_rule import Kind
from config.reaction_table import load_reaction_table
from reactions.gestures.context import Context, Sighting
from reactions.gestures.hand_classifier import SHIPPED
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LABELS, LabelSpec
from reactions.landmark_types import ModelFamily, Observation, RgbImage, Sample
from reactions.landmarks.model_manifest import FILES, files_of
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.pipeline import RecognitionPipeline
from tests.reactions.gestures.figures import HEIGHT, WIDTH, make_face, make_hand

SHOWN = ("drinking", "yawn", "arms_raised")
"""Poses that make each model run whose label is on."""


@pytest.fixture(scope="module")
def stream() -> Sequence[RgbImage]:
    person = CAST["Ingrid"]
    return [render(person, POSES[pose], Scene(), seed=n) for pose in SHOWN for n in range(3)]


@pytest.fixture
def runs() -> Iterator[Counter[str]]:
    """How often each model was run, by its file's name."""
    counter: Counter[str] = Counter()
    names: dict[int, str] = {}
    load, invoke = Interpreter.__init__, Interpreter.invoke

    def loaded(interpreter: Interpreter, model_path: str, num_threads: int) -> None:
        names[id(interpreter)] = Path(model_path).stem
        load(interpreter, model_path=model_path, num_threads=num_threads)

    def counted(interpreter: Interpreter) -> None:
        counter[names[id(interpreter)]] += 1
        invoke(interpreter)

    with (
        patch.object(Interpreter, "__init__", loaded),
        patch.object(Interpreter, "invoke", counted),
    ):
        yield counter


def detect(labels: Sequence[str], stream: Sequence[RgbImage]) -> None:
    pipeline, memory = RecognitionPipeline(ModelStore(), labels), None
    for number, pixels in enumerate(stream):
        memory = pipeline.detect(Sample(pixels, number / 5), memory).memory


def runnable(family: ModelFamily) -> set[str]:
    """The models of ``family`` that this machine has."""
    store = ModelStore()
    return {name for name in files_of({family}) if store.has(name) or not FILES[name].optional}


@pytest.mark.models
@pytest.mark.parametrize("family", [each for each in ModelFamily if files_of({each})])
def test_no_model_runs_for_labels_that_are_off(
    family: ModelFamily, stream: Sequence[RgbImage], runs: Counter[str]
) -> None:
    detect(list(LABELS), stream)
    assert runs.keys() & runnable(family) or not runnable(family)
    runs.clear()
    others = [name for name, spec in LABELS.items() if family not in spec.families]
    detect(others, stream)
    assert runs
    assert not runs.keys() & set(files_of({family}))
    assert (SHIPPED.stem in runs) is (family is not ModelFamily.HANDS)


@pytest.mark.models
def test_labels_that_ship_as_off_add_no_run_of_any_model(
    stream: Sequence[RgbImage], runs: Counter[str]
) -> None:
    table = load_reaction_table(LABELS)
    shipped = [name for name in LABELS if table[name].kind is not Kind.OFF]
    detect(shipped, stream)
    without = runs.copy()
    runs.clear()
    detect(list(LABELS), stream)
    assert without < runs
    assert files_of({ModelFamily.BLENDSHAPES})[0] not in without
    assert not without.keys() - {*FILES, SHIPPED.stem}


def test_no_rule_is_asked_for_a_label_that_is_off() -> None:
    asked: Counter[str] = Counter()

    def counting(spec: LabelSpec) -> LabelSpec:
        def score(context: Context) -> Iterator[Sighting]:
            asked[spec.name] += 1
            yield from spec.score(context)

        return replace(spec, score=score)

    def wrapped(specs: Sequence[LabelSpec]) -> Sequence[LabelSpec]:
        return [counting(spec) for spec in specs]

    own: Callable[[Sequence[LabelSpec]], Sequence[LabelSpec]] = wrapped
    seen = Observation(WIDTH, HEIGHT, 0.0, hands=(make_hand((320, 200)),), face=make_face())
    on = ["smile", "victory", "drinking"]
    Recognizer(on, own=own).recognize(seen, None)
    assert asked == dict.fromkeys(on, 1)
