"""What all rooms and the annotate service detect with: workers, models, labels."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from config.errors import InferenceError
from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.bundle import ModelBundle
from reactions.labels import LABELS, families_for
from reactions.landmarks.model_manifest import files_of
from reactions.pipeline import PipelineConfig
from reactions.trained_heads import head_families
from sidecar.inference.detector import Detector, LoadPipeline, ReplaceableDetector
from sidecar.inference.processes import ProcessDetector
from sidecar.inference.worker_process import WorkerLimits
from sidecar.session.factories import enabled_labels, make_store, pipeline_config
from sidecar.supervisor.bundle_rows import NO_ROWS, TaughtRows, with_bundle
from sidecar.supervisor.cores import usable_cores
from sidecar.supervisor.reaction_store import ReactionStore
from sidecar.supervisor.scored_labels import ScoredLabels
from sidecar.supervisor.supervisor import Supervisor


def sample_bytes(settings: Settings) -> int:
    """The largest sample: RGB, square at most."""
    return 3 * settings.sampling.longest**2


def detection_config(
    settings: Settings,
    table: Mapping[str, ReactionRule],
    bundle: ModelBundle,
    rows: TaughtRows = NO_ROWS,
) -> PipelineConfig:
    """What the workers of all rooms load at the start; ``rows`` are the user's of labels of
    bundles."""
    rules = with_bundle(table, bundle, rows)
    return pipeline_config(make_store(settings), rules, settings, bundle)


def shared_detector(
    settings: Settings,
    table: Mapping[str, ReactionRule],
    bundle: ModelBundle,
    rows: TaughtRows = NO_ROWS,
) -> ProcessDetector:
    """The workers of all rooms and of the annotate service, not started yet."""
    return ProcessDetector(
        detection_config(settings, table, bundle, rows).load,
        workers=settings.serve.workers or max(1, round(usable_cores())),
        limits=WorkerLimits(
            memory_warn=settings.serve.memory_warn_mb << 20,
            memory=settings.serve.memory_limit_mb << 20,
            capacity=sample_bytes(settings),
        ),
    )


def scored_labels(
    detector: Detector,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    bundle: ModelBundle,
    rows: TaughtRows = NO_ROWS,
) -> ScoredLabels:
    """The labels that ``detector`` scores, and how it gets to score others; ``rows`` are the
    user's of labels of bundles."""

    def make(bundle: ModelBundle, labels: frozenset[str]) -> LoadPipeline:
        taught = {label.name: label for label in bundle.taught}
        known = labels & LABELS.keys()
        families = families_for(known).union(*(one.spec().families for one in taught.values()))
        families |= head_families(known, bundle.heads)
        make_store(settings).fetch(files_of(families))
        config = detection_config(settings, table, bundle, rows)
        # Off in the bundle, but turned on by a row.
        turned_on = tuple(one for one in bundle.detected if one.name in labels)
        detected = tuple(dict.fromkeys((*config.detected, *turned_on)))
        return replace(config, labels=known, detected=detected).load

    async def change(load: LoadPipeline) -> None:
        if not isinstance(detector, ReplaceableDetector):
            do = 'set sampling.engine = "processes"'
            raise InferenceError("threads keep the models that they loaded", do=do)
        await detector.replace(load)

    return ScoredLabels(enabled_labels(table), bundle, make, change)


def bundle_user(
    scored: ScoredLabels,
    supervisor: Supervisor,
    reactions: ReactionStore,
    changed: Callable[[], None],
) -> Callable[[ModelBundle], Awaitable[None]]:
    """Makes running workers use a bundle, and rooms its thresholds and taught labels.

    ``changed`` is called once the server's table is another.
    """

    async def use(bundle: ModelBundle) -> None:
        # What can fail comes first: the workers change together with the tables.
        await asyncio.to_thread(reactions.check_stickers, bundle)
        await asyncio.to_thread(reactions.keep_stickers, bundle)
        await scored.use(bundle)
        await asyncio.to_thread(reactions.use_bundle, bundle)
        changed()
        await supervisor.change_tables()

    return use
