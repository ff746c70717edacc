"""From settings to the parts they describe; the same for a room, a replay and a picture."""

from collections.abc import Mapping

from config.reactions import Kind, ReactionRule
from config.settings import Settings
from gifs.cache import StickerCache
from reactions.detection import FrameDetector
from reactions.landmarks.store import ModelStore
from reactions.policy import Policy
from sidecar.detector import ThreadDetector


def make_store(settings: Settings) -> ModelStore:
    """The store of nets that the settings name."""
    return ModelStore(settings.models.folder)


def make_frame_detector(
    store: ModelStore, table: Mapping[str, ReactionRule], settings: Settings
) -> FrameDetector:
    """A detector for every label that is not off; raises ModelError where a net is missing."""
    labels = frozenset(label for label, rule in table.items() if rule.kind is not Kind.OFF)
    return FrameDetector(store, labels, hand_model=settings.recognition.hand_model)


def make_detector(
    store: ModelStore, table: Mapping[str, ReactionRule], settings: Settings
) -> ThreadDetector:
    """As many detection threads as the settings say."""
    return ThreadDetector(
        lambda: make_frame_detector(store, table, settings),
        workers=settings.sampling.workers,
        longest=settings.sampling.longest,
    )


def make_stickers(settings: Settings) -> StickerCache:
    """Our stickers and those in the user's folders."""
    return StickerCache(settings.stickers.folders, max_bytes=settings.stickers.cache_bytes)


def make_policy(table: Mapping[str, ReactionRule], settings: Settings) -> Policy:
    """The policy of one room."""
    limits = settings.policy
    return Policy(
        table,
        evidence=(limits.evidence, limits.window),
        max_stickers=limits.max_per_participant,
        max_in_room=limits.max_at_once,
    )
