"""When enough people show the same at about the same time. Pure: times are arguments.

Labels whose rows name the same ``crowd`` effect count as the same: one thumb up and two. Each
person counts once. docs/policy.md explains the rules with their reasons.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, inf

from config.reaction_rule import Kind, ReactionRule

WINDOW = 3.0
"""Seconds in which people must show the same: applause and thumbs spread through a meeting within
about that time, and hardly longer than a sticker plays."""
ROUNDING = 1e-6
"""A share of three in ten must not ask for four."""


@dataclass(frozen=True, slots=True)
class CrowdReaction:
    """Enough people showed the same."""

    time: float
    """Seconds on the clock of the samples."""
    label: str
    """The one that completed it."""
    effect: str
    participants: tuple[str, ...]
    """Who showed it, in the order of their names."""
    present: int
    """How many could have shown it."""


@dataclass(slots=True)
class _Gathering:
    """Who showed the labels of one effect, and when last."""

    newest: dict[str, float] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    """Those who counted once and have shown it without a break since: they count no more."""
    ready: float = -inf
    """When the cooldown is over."""


class Crowd:
    """Watches what all participants of one room show."""

    def __init__(self, table: Mapping[str, ReactionRule]) -> None:
        self._rules = _crowd_rules(table)
        self._gatherings: dict[str, _Gathering] = {}
        self.coming: str | None = None
        """The effect for which one more person is missing."""

    @property
    def labels(self) -> Collection[str]:
        """The labels that count."""
        return self._rules.keys()

    def change(self, table: Mapping[str, ReactionRule]) -> None:
        """Go on with ``table``; cooldowns of effects that it still names stay."""
        self._rules = _crowd_rules(table)
        effects = {rule.crowd for rule in self._rules.values()}
        for effect in self._gatherings.keys() - effects:
            del self._gatherings[effect]

    def observe(
        self, shown: Iterable[tuple[str, str]], present: Collection[str], time: float
    ) -> list[CrowdReaction]:
        """What begins at ``time``, when ``shown`` are the participants and labels held right now.

        ``present`` are the participants who could show something: with a camera and consent.
        At most one reaction an effect; who counted for it must stop before they count again.
        """
        now: dict[str, dict[str, str]] = {}
        for participant, seen in shown:
            rule = self._rules.get(seen)
            if rule is not None and rule.crowd and participant in present:
                now.setdefault(rule.crowd, {})[participant] = seen
        found = []
        self.coming = None
        for effect in sorted(now.keys() | self._gatherings.keys()):
            gathering = self._gatherings.setdefault(effect, _Gathering())
            showing = now.get(effect, {})
            _take(gathering, showing.keys(), present, time)
            if (nearest := self._nearest(gathering, showing, len(present), time)) is None:
                continue
            missing, label = nearest
            if missing > 0:
                self.coming = effect if missing == 1 else self.coming
                continue
            people = tuple(sorted(gathering.newest))
            found.append(CrowdReaction(time, label, effect, people, len(present)))
            gathering.ready = time + self._rules[label].crowd_cooldown
            gathering.spent |= showing.keys()
            gathering.newest.clear()
        return found

    def _nearest(
        self, gathering: _Gathering, showing: Mapping[str, str], present: int, time: float
    ) -> tuple[int, str] | None:
        """How many people are missing, and by the row of which label; None in the cooldown, and
        where no one shows it who counts."""
        if time < gathering.ready:
            return None
        labels = (label for name, label in showing.items() if name in gathering.newest)
        return min(
            ((self._wanted(label, present) - len(gathering.newest), label) for label in labels),
            default=None,
        )

    def _wanted(self, label: str, present: int) -> int:
        rule = self._rules[label]
        return max(rule.crowd_people, ceil(rule.crowd_share * present - ROUNDING))


def _crowd_rules(table: Mapping[str, ReactionRule]) -> dict[str, ReactionRule]:
    return {
        label: rule for label, rule in table.items() if rule.crowd and rule.kind is not Kind.OFF
    }


def _take(
    gathering: _Gathering, showing: Collection[str], present: Collection[str], time: float
) -> None:
    """Bring ``gathering`` up to ``time``: who shows it counts, who left or is late does not."""
    gathering.spent &= set(showing)
    for participant in showing:
        if participant not in gathering.spent:
            gathering.newest[participant] = time
    gathering.newest = {
        participant: seen
        for participant, seen in gathering.newest.items()
        if participant in present and time - seen <= WINDOW
    }
