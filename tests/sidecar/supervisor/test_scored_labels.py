"""Labels that are off at the start and turned on later."""

import asyncio
from collections.abc import Callable, Collection

import pytest

from config.errors import InferenceError, NotFoundError
from config.reaction_rule import Kind, ReactionRule
from config.settings import Settings
from reactions.bundle import SHIPPED_BUNDLE, ModelBundle
from reactions.labels import LABELS
from reactions.landmark_types import Sample
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.pipeline import PipelineConfig
from sidecar.inference.detector import LoadPipeline, Pipeline
from sidecar.inference.processes import ProcessDetector
from sidecar.rooms.memory import MemoryMeeting
from sidecar.supervisor.control import (
    Begin,
    ChangeRoom,
    ChangeTable,
    StateReport,
    TriggerReaction,
    plain_settings,
)
from sidecar.supervisor.handle import Report
from sidecar.supervisor.room_runner import RoomRunner
from sidecar.supervisor.scored_labels import ScoredLabels, with_labels
from sidecar.supervisor.values import ReactionRequest, RoomPatch, RoomRequest, RoomState
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.memory_handle import MemoryAdapter, NothingSeen, SlowCamera

TABLE = {
    "wave": ReactionRule(sticker="wave"),
    "fist": ReactionRule(kind=Kind.OFF, sticker="fist"),
    "smile": ReactionRule(kind=Kind.OFF),
    "ily": ReactionRule(kind=Kind.OFF, sticker="ily", moderated=True),
}
RULES = {label: rule.model_dump(mode="json") for label, rule in TABLE.items()}


class Workers:
    """Takes pipelines, and remembers for which labels and bundle they were made."""

    def __init__(self) -> None:
        self.used: list[tuple[str, frozenset[str]]] = []
        self.made: dict[int, tuple[str, frozenset[str]]] = {}
        self.failing = False

    def make(self, bundle: ModelBundle, labels: frozenset[str]) -> LoadPipeline:
        def load() -> Pipeline:
            raise AssertionError("loaded by workers alone")

        self.made[id(load)] = bundle.name, labels
        return load

    async def replace(self, load: Callable[[], Pipeline]) -> None:
        await asyncio.sleep(0)
        if self.failing:
            raise InferenceError("a worker is being started")
        self.used.append(self.made[id(load)])


def scored(workers: Workers, labels: Collection[str] = ("wave",)) -> ScoredLabels:
    return ScoredLabels(set(labels), SHIPPED_BUNDLE, workers.make, workers.replace)


async def test_workers_change_once_for_labels_that_they_do_not_score() -> None:
    workers = Workers()
    labels = scored(workers)
    await labels.require({"wave"})
    assert workers.used == []
    await asyncio.gather(*(labels.require({"fist"}) for _ in range(3)))
    assert workers.used == [("shipped", frozenset({"wave", "fist"}))]


async def test_labels_that_were_added_stay_with_another_bundle() -> None:
    workers = Workers()
    labels = scored(workers)
    await labels.require({"fist"})
    await labels.use(SHIPPED_BUNDLE)
    assert workers.used[-1] == ("shipped", frozenset({"wave", "fist"}))


async def test_labels_stay_as_they_were_where_the_workers_can_t_change() -> None:
    workers = Workers()
    workers.failing = True
    labels = scored(workers)
    with pytest.raises(InferenceError):
        await labels.require({"fist"})
    assert labels.labels == {"wave"}


def test_a_label_is_turned_on_as_its_row_allows() -> None:
    on = with_labels(TABLE, ("fist", "smile", "ily"))
    kinds = {label: rule.kind for label, rule in on.items()}
    assert kinds == {
        "wave": Kind.STICKER,
        "fist": Kind.STICKER,
        "smile": Kind.EVENT,
        "ily": Kind.EVENT,
    }
    assert with_labels(TABLE, None) == TABLE


class JoinedRoom:
    """A room of one participant that has joined."""

    def __init__(self, labels: tuple[str, ...] | None = None) -> None:
        memory = MemoryMeeting()
        memory.join("ada", "Ada", SlowCamera())

        async def find(url: str) -> MemoryAdapter:
            return MemoryAdapter(memory)

        self.reports: list[Report] = []
        request = RoomRequest(url="wss://a", publish=("none",), labels=labels)
        begin = Begin(
            room="r-1", request=request, secrets={}, settings=plain_settings(Settings()),
            table=RULES,
        )  # fmt: skip
        self.runner = RoomRunner(begin, NothingSeen(), self.reports.append, find=find)
        self._task = asyncio.create_task(self.runner.run())

    async def live(self) -> None:
        await eventually(lambda: any("joined" in str(one) for one in self.reports))
        states = [one.state for one in self.reports if isinstance(one, StateReport)]
        assert states == [RoomState.LIVE]

    async def react(self, label: str) -> None:
        reaction = ReactionRequest(participant="ada", label=label)
        await self.runner.call(TriggerReaction(reaction=reaction))

    async def leave(self) -> None:
        self.runner.leave()
        await self._task


async def test_a_label_that_is_off_can_be_turned_on_and_off_again_while_the_room_runs() -> None:
    assert set(TABLE) <= set(LABELS)
    room = JoinedRoom()
    await room.live()
    with pytest.raises(NotFoundError, match="'fist' is not on"):
        await room.react("fist")
    await room.runner.call(ChangeRoom(patch=RoomPatch(labels=("wave", "fist"))))
    await room.react("fist")
    assert any("reaction.started" in str(one) for one in room.reports)
    await room.runner.call(ChangeRoom(patch=RoomPatch(labels=("wave",))))
    with pytest.raises(NotFoundError, match="'fist' is not on"):
        await room.react("fist")
    await room.leave()


async def test_a_new_reaction_table_keeps_the_room_s_labels_on() -> None:
    room = JoinedRoom(labels=("fist",))
    await room.live()
    await room.runner.call(ChangeTable(table=RULES))
    await room.react("fist")
    await room.leave()


@pytest.mark.models
async def test_workers_recognise_a_label_whose_models_they_load_while_samples_come() -> None:
    def make(bundle: ModelBundle, labels: frozenset[str]) -> LoadPipeline:
        return PipelineConfig(ModelStore().folder, labels, hand_classifier=bundle.weights).load

    person, scene = CAST["Mei"], Scene()
    pictures = [render(person, POSES["open_palm"], scene, seed=seed) for seed in range(3)]
    labels = frozenset({"smile"})
    dropped, memory, number = 0, None, 0
    async with (
        asyncio.timeout(120),
        ProcessDetector(make(SHIPPED_BUNDLE, labels)) as detector,
    ):
        scored = ScoredLabels(labels, SHIPPED_BUNDLE, make, detector.replace)
        adding = asyncio.create_task(scored.require({"open_palm"}))
        found: set[str] = set()
        while "open_palm" not in found:
            sample = Sample(pictures[number % 3], number / 5)
            detection = await detector.detect(sample, memory, source="mei")
            memory, number = detection.memory, number + 1
            found = {score.label for score in detection.scores if score.score > 0.7}
        await adding
        dropped = detector.stats().dropped.total
    assert scored.labels == {"smile", "open_palm"}
    assert dropped == 0
