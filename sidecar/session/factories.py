"""Make the parts that settings describe, for rooms, replays and pictures alike."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import structlog

from config.errors import ConfigError, StickerError
from config.reaction_rule import Kind, ReactionRule
from config.settings import Engine, Settings
from gifs.cache import StickerCache
from gifs.catalogue import find_sticker, own_file
from reactions.bundle import SHIPPED_BUNDLE, ModelBundle
from reactions.labels import LABELS, families_for
from reactions.landmarks.model_manifest import files_of
from reactions.landmarks.model_store import ModelStore
from reactions.pipeline import PipelineConfig, RecognitionPipeline
from reactions.policy import Policy
from reactions.trained_heads import head_families
from sidecar.inference.detector import Detector
from sidecar.inference.processes import ProcessDetector
from sidecar.inference.threads import ThreadDetector
from sidecar.inference.worker_process import WorkerLimits
from sidecar.media.ice import configured_servers
from sidecar.rooms.base import Consent, JoinOptions

log = structlog.get_logger(__name__)


def make_store(settings: Settings) -> ModelStore:
    """The store of models that the settings name."""
    return ModelStore(settings.models.folder)


def enabled_labels(table: Mapping[str, ReactionRule]) -> frozenset[str]:
    """The labels that are scored: all that are not off."""
    return frozenset(label for label, rule in table.items() if rule.kind is not Kind.OFF)


def models_for(
    table: Mapping[str, ReactionRule], bundle: ModelBundle = SHIPPED_BUNDLE
) -> tuple[str, ...]:
    """The names of the landmark models that the enabled labels, by rules or by the networks of
    ``bundle``, and those that ``bundle`` was taught, need."""
    known = enabled_labels(table) & LABELS.keys()
    families = families_for(known) | head_families(known, bundle.heads)
    return files_of(families.union(*(label.spec().families for label in bundle.taught)))


def pipeline_config(
    store: ModelStore,
    table: Mapping[str, ReactionRule],
    settings: Settings,
    bundle: ModelBundle = SHIPPED_BUNDLE,
) -> PipelineConfig:
    """What recognises every label of the vocabulary that is not off in ``table``, those that
    ``bundle`` was taught, and its objects that are not off."""
    return PipelineConfig(
        store.folder,
        enabled_labels(table) & LABELS.keys(),
        settings.recognition.hand_model,
        None if bundle.folder is None else bundle.weights,
        bundle.taught,
        bundle.heads,
        bundle.detector,
        tuple(
            label
            for label in bundle.detected
            if table.get(label.name, label.rule()).kind is not Kind.OFF
        ),
    )


def make_pipeline(
    store: ModelStore,
    table: Mapping[str, ReactionRule],
    settings: Settings,
    bundle: ModelBundle = SHIPPED_BUNDLE,
) -> RecognitionPipeline:
    """A pipeline for every label that is not off, and those that ``bundle`` was taught; raises
    ModelError where a model is missing."""
    return pipeline_config(store, table, settings, bundle).load()


def make_detector(
    store: ModelStore,
    table: Mapping[str, ReactionRule],
    settings: Settings,
    *,
    engine: Engine = Engine.THREADS,
    bundle: ModelBundle = SHIPPED_BUNDLE,
) -> Detector:
    """A detector with as many workers as the settings say, on ``engine`` unless they name one.

    Processes inherit descriptors: where the system can't do that, ``auto`` is threads, and
    ``processes`` raises ConfigError.
    """
    sampling = settings.sampling
    load = pipeline_config(store, table, settings, bundle).load
    if sampling.engine is not Engine.AUTO:
        engine = sampling.engine
    elif os.name != "posix":
        engine = Engine.THREADS
    if engine is not Engine.PROCESSES:
        return ThreadDetector(load, workers=sampling.workers)
    if os.name != "posix":
        what = "processes need a POSIX system"
        raise ConfigError(what, where="sampling.engine", do='set engine = "threads"')
    limits = WorkerLimits(capacity=3 * sampling.longest**2)
    return ProcessDetector(load, workers=sampling.workers, limits=limits)


def make_stickers(table: Mapping[str, ReactionRule], settings: Settings) -> StickerCache:
    """Our stickers and those in the user's folders.

    Of the user's files that ``table`` names, each that can't be used is logged by name; the labels
    that want it go without, and everything else plays.
    """
    cache = StickerCache(settings.stickers.folders, max_bytes=settings.stickers.cache_bytes)
    named = (name for rule in table.values() for name in (rule.sticker, rule.effect, rule.crowd))
    theirs = [name for name in named if name and own_file(name) is None]
    for error in cache.check(theirs).values():
        log.warning("sticker refused", reason=str(error))
    return cache


def sticker_files(table: Mapping[str, ReactionRule], settings: Settings) -> dict[str, Path]:
    """The files of the stickers by label; labels whose sticker is not there are left out."""
    files: dict[str, Path] = {}
    for label, rule in table.items():
        if rule.sticker is not None and rule.kind is Kind.STICKER:
            with contextlib.suppress(StickerError):
                files[label] = find_sticker(rule.sticker, settings.stickers.folders)
    return files


def make_policy(table: Mapping[str, ReactionRule], settings: Settings) -> Policy:
    """The policy of one room."""
    limits = settings.policy
    return Policy(
        table,
        evidence=(limits.evidence, limits.window),
        max_stickers=limits.max_per_participant,
        max_in_room=limits.max_at_once,
        sensitivity=limits.sensitivity,
    )


def join_options(settings: Settings, environ: Mapping[str, str]) -> JoinOptions:
    """How ``settings`` want to take part in any meeting."""
    return JoinOptions(
        name=settings.rooms.name,
        environ=environ,
        rate=settings.sampling.rate,
        ice_servers=configured_servers(settings.server.ice_servers),
        relay_only=settings.rooms.relay_only,
    )


def default_consent(settings: Settings) -> Consent:
    """The consent of participants who made no choice."""
    return Consent.OPT_OUT if settings.rooms.consent == "opt-in" else Consent.OPT_IN
