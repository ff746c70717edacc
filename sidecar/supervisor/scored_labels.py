"""Which labels the detection workers score: those of the reaction table, and more on demand."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeAlias

import structlog

from config.reaction_rule import Kind, ReactionRule
from reactions.bundle import ModelBundle
from sidecar.inference.detector import LoadPipeline

log = structlog.get_logger(__name__)

MakeLoader: TypeAlias = Callable[[ModelBundle, frozenset[str]], LoadPipeline]
"""Makes a worker's pipeline for the labels, with a bundle's models, after fetching what models are
not here; blocks, and raises ModelError."""


class ScoredLabels:
    """Replaces pipelines where more labels are wanted; ``replace`` gives the workers another.

    No label is taken out again: other rooms may use it.
    """

    def __init__(
        self,
        labels: Collection[str],
        bundle: ModelBundle,
        make: MakeLoader,
        replace: Callable[[LoadPipeline], Awaitable[None]],
    ) -> None:
        self.labels = frozenset(labels)
        self._bundle = bundle
        self._make = make
        self._replace = replace
        self._lock = asyncio.Lock()
        """One change at a time."""

    async def require(self, labels: Collection[str]) -> None:
        """Return once ``labels`` are scored; raises ModelError, and InferenceError while a worker
        is being started. The labels stay as they were then."""
        async with self._lock:
            wanted = self.labels | frozenset(labels)
            if wanted != self.labels:
                await self._load(self._bundle, wanted)
                added = sorted(wanted - self.labels)
                log.info("labels added", labels=added)
                self.labels = wanted

    async def use(self, bundle: ModelBundle) -> None:
        """Score the same labels with the models of ``bundle``; raises as ``require`` does."""
        async with self._lock:
            await self._load(bundle, self.labels)
            self._bundle = bundle

    async def _load(self, bundle: ModelBundle, labels: frozenset[str]) -> None:
        await self._replace(await asyncio.to_thread(self._make, bundle, labels))


def with_labels(
    table: Mapping[str, ReactionRule], labels: Sequence[str] | None
) -> dict[str, ReactionRule]:
    """``table`` with those of ``labels`` turned on that are off in it, as their rows allow."""
    turned = dict(table)
    for label in labels or ():
        rule = table[label]
        if rule.kind is Kind.OFF:
            drawn = rule.sticker is not None and not rule.moderated
            kind = Kind.STICKER if drawn else Kind.EVENT
            turned[label] = rule.model_copy(update={"kind": kind})
    return turned
