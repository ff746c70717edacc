"""From settings to the parts they describe; the same for a room, a replay and a picture."""

from collections.abc import Mapping

import structlog

from config.reaction_rule import Kind, ReactionRule
from config.settings import Settings
from gifs.cache import StickerCache
from gifs.catalogue import own_file
from reactions.landmarks.model_store import ModelStore
from reactions.pipeline import RecognitionPipeline
from reactions.policy import Policy
from sidecar.inference.threads import ThreadDetector

log = structlog.get_logger(__name__)


def make_store(settings: Settings) -> ModelStore:
    """The store of nets that the settings name."""
    return ModelStore(settings.models.folder)


def make_pipeline(
    store: ModelStore, table: Mapping[str, ReactionRule], settings: Settings
) -> RecognitionPipeline:
    """A detector for every label that is not off; raises ModelError where a net is missing."""
    labels = frozenset(label for label, rule in table.items() if rule.kind is not Kind.OFF)
    return RecognitionPipeline(store, labels, hand_model=settings.recognition.hand_model)


def make_detector(
    store: ModelStore, table: Mapping[str, ReactionRule], settings: Settings
) -> ThreadDetector:
    """As many detection threads as the settings say."""
    return ThreadDetector(
        lambda: make_pipeline(store, table, settings),
        workers=settings.sampling.workers,
        longest=settings.sampling.longest,
    )


def make_stickers(table: Mapping[str, ReactionRule], settings: Settings) -> StickerCache:
    """Our stickers and those in the user's folders.

    Of the user's files that ``table`` names, each that can't be used is logged by name; the labels
    that want it go without, and everything else plays.
    """
    cache = StickerCache(settings.stickers.folders, max_bytes=settings.stickers.cache_bytes)
    named = (name for rule in table.values() for name in (rule.sticker, rule.effect))
    theirs = [name for name in named if name is not None and own_file(name) is None]
    for error in cache.check(theirs).values():
        log.warning("sticker refused", reason=str(error))
    return cache


def make_policy(table: Mapping[str, ReactionRule], settings: Settings) -> Policy:
    """The policy of one room."""
    limits = settings.policy
    return Policy(
        table,
        evidence=(limits.evidence, limits.window),
        max_stickers=limits.max_per_participant,
        max_in_room=limits.max_at_once,
    )
