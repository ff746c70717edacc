"""What all participants of a room show together: the effect that plays, and its event."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf
from typing import Final

import structlog

from config.reaction_rule import ReactionRule
from reactions.crowd import Crowd
from reactions.policy import Policy
from sidecar.media.compositor.tiles import FrameEffect
from sidecar.session.events import CrowdReacted
from sidecar.session.participant import Participant

log = structlog.get_logger(__name__)

LASTS: Final = 5.0
"""Seconds after which an effect has been loaded and has played: ours last 2.4 s."""


class CrowdWatch:
    """Looks at what ``policy`` has of all participants, by the rows of ``table``."""

    def __init__(self, policy: Policy, table: Mapping[str, ReactionRule]) -> None:
        self._policy = policy
        self._crowd = Crowd(table)
        self._now = -inf
        self._played: FrameEffect | None = None

    @property
    def effect(self) -> FrameEffect | None:
        """What plays over the whole composite, or played last; or one to make ready."""
        coming = self._crowd.coming
        if coming is None or (self._played is not None and self._now < self._played.since + LASTS):
            return self._played
        return FrameEffect(coming, inf)

    def change(self, table: Mapping[str, ReactionRule]) -> None:
        """Go on with ``table``."""
        self._crowd.change(table)

    def look(
        self, participants: Iterable[Participant], now: float, epoch: float
    ) -> list[CrowdReacted]:
        """What begins at ``now``; the events are in seconds since ``epoch``."""
        self._now = now
        present = {
            one.participant for one in participants if one.feed is not None and not one.opted_out
        }
        events = []
        for reaction in self._crowd.observe(self._policy.shown(self._crowd.labels), present, now):
            self._played = FrameEffect(reaction.effect, now)
            events.append(CrowdReacted(replace(reaction, time=now - epoch)))
            log.info("crowd reaction", label=reaction.label, people=len(reaction.participants))
        return events
