"""What all participants of a room show together: the effect that plays, and its event."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog

from config.reaction_rule import ReactionRule
from reactions.crowd import Crowd
from reactions.policy import Policy
from sidecar.media.compositor.tiles import FrameEffect
from sidecar.session.events import CrowdReacted
from sidecar.session.participant import Participant

log = structlog.get_logger(__name__)


class CrowdWatch:
    """Looks at what ``policy`` has of all participants, by the rows of ``table``."""

    def __init__(self, policy: Policy, table: Mapping[str, ReactionRule]) -> None:
        self._policy = policy
        self._crowd = Crowd(table)
        self.effect: FrameEffect | None = None
        """What plays over the whole composite, or played last."""

    def change(self, table: Mapping[str, ReactionRule]) -> None:
        """Go on with ``table``."""
        self._crowd.change(table)

    def look(
        self, participants: Iterable[Participant], now: float, epoch: float
    ) -> list[CrowdReacted]:
        """What begins at ``now``; the events are in seconds since ``epoch``."""
        present = {
            one.participant for one in participants if one.feed is not None and not one.opted_out
        }
        events = []
        for reaction in self._crowd.observe(self._policy.shown(self._crowd.labels), present, now):
            self.effect = FrameEffect(reaction.effect, now)
            events.append(CrowdReacted(replace(reaction, time=now - epoch)))
            log.info("crowd reaction", label=reaction.label, people=len(reaction.participants))
        return events
