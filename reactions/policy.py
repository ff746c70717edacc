"""Scores over time to reactions: evidence, hold, hysteresis, cooldown, limits.

Pure: no clock, no I/O. Times are seconds on the clock that stamps the samples, and the same calls
give the same events. docs/policy.md explains each rule with its reason.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from config.reaction_rule import Kind, ReactionRule
from config.sensitivity import Sensitivity, with_sensitivity
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.reaction_event import ReactionEvent
from reactions.reaction_state import EvidenceWindow, ReactionState

STALE_AFTER = 1.5
"""Seconds without a sample after which what was seen before no longer counts."""
MOST_CHOICES = 10_000
"""Participants whose choice of a sensitivity is kept; those of further ones are not."""


PersonKey: TypeAlias = tuple[str, int]
"""A participant, and which of the people in their picture."""


@dataclass(slots=True)
class _Person:
    """The states of the labels of one person in a participant's picture."""

    states: dict[str, ReactionState]
    newest: float = -inf
    """The time of the newest sample."""
    now: float = -inf
    """The time of the newest call: events of one participant never go back in time."""

    def stickers(self) -> Iterator[ReactionState]:
        """The states whose stickers are running."""
        for state in self.states.values():
            if state.started is not None and state.rule.kind is Kind.STICKER:
                yield state


class Policy:
    """Turns every participant's label scores into started, progress and ended events.

    ``evidence`` is (k, n): a hold begins with the first sample at the label's threshold, continues
    while at most n - k of the newest n samples miss it, and needs k samples that hit it. With
    faster sampling the same share of misses is taken of all samples of the last 0.6 s.
    ``max_stickers`` is the limit for one person at once, ``max_in_room`` for all together; a label
    over the limit waits with a full hold. ``STALE_AFTER``
    seconds without a sample end what was seen until then. ``sensitivity`` is that of participants
    who chose none.

    Each call returns its events in their order in time: at most one a person and label. Several
    people in one participant's picture have states of their own (``LabelScore.person``).
    """

    def __init__(
        self,
        table: Mapping[str, ReactionRule],
        *,
        evidence: tuple[int, int] = (3, 4),
        max_stickers: int = 2,
        max_in_room: int = 12,
        sensitivity: Sensitivity = Sensitivity.NORMAL,
    ) -> None:
        hits, samples = evidence
        if not 1 <= hits <= samples:
            raise ValueError(f"evidence must be (k, n) with 1 ≤ k ≤ n, not {evidence}")
        self._tables = _tables(table)
        self._sensitivity = sensitivity
        self._chosen: dict[str, Sensitivity] = {}
        self._evidence = EvidenceWindow(hits, samples, STALE_AFTER)
        self._max_stickers = max_stickers
        self._max_in_room = max_in_room
        self._people: dict[PersonKey, _Person] = {}

    def observe(
        self, participant: str, scores: Iterable[LabelScore], time: float
    ) -> list[ReactionEvent]:
        """Take the scores of ``participant``'s sample of ``time`` into account.

        A label that ``scores`` leave out counts as not seen; labels outside the table are ignored,
        and so is a sample that is no newer than the last one.
        """
        by_person: dict[int, list[LabelScore]] = {}
        for score in scores:
            by_person.setdefault(score.person, []).append(score)
        slots = {0, *by_person, *(slot for name, slot in self._people if name == participant)}
        events: list[ReactionEvent] = []
        for slot in sorted(slots):
            events += self._observe((participant, slot), by_person.get(slot, ()), time)
        return events

    def _observe(
        self, key: PersonKey, scores: Iterable[LabelScore], time: float
    ) -> list[ReactionEvent]:
        person = self._person(key)
        if time <= person.newest:
            return []
        person.now = max(time, person.now)
        gap = time - person.newest > self._evidence.stale_after
        lapsed = self._lapse(person) if gap else []
        person.newest = time
        seen = self._give_way(person, self._best(scores))
        for label, state in person.states.items():
            state.note(time, seen.get(label))
        return lapsed or self._step(person, sampled=True)

    def advance(self, time: float) -> list[ReactionEvent]:
        """Let time pass without a sample: full holds start, and what is no longer seen ends."""
        events: list[ReactionEvent] = []
        for person in self._people.values():
            person.now = max(time, person.now)
            events += self._step(person, sampled=False)
        return events

    def shown(self, labels: Collection[str]) -> Iterator[tuple[str, str]]:
        """Participant and label, of ``labels``, of each full hold that lasts.

        Those that wait for a place, and those whose sticker runs, are among them.
        """
        for (name, _), person in self._people.items():
            for label in labels:
                state = person.states.get(label)
                if state is not None and state.is_shown(person.now):
                    yield name, label

    def stop(self, participant: str, time: float) -> list[ReactionEvent]:
        """End what ``participant`` has running, as after an opt-out; cooldowns stay.

        A later sample counts again: the caller stops observing participants who opted out.
        """
        events: list[ReactionEvent] = []
        for _, person in self._of(participant):
            person.now = max(time, person.now)
            events += _stop(person)
        return events

    def trigger(self, participant: str, label: str, time: float, box: Box) -> list[ReactionEvent]:
        """Start ``label`` at ``time`` without evidence, as an operator asks for it.

        It plays at ``box`` unless the label was seen before, for its duration. Nothing happens
        where it runs already, or where the room has as many stickers as it may have. Raises
        KeyError for a label that is off.
        """
        person = self._person((participant, 0))
        person.now = max(time, person.now)
        state = person.states[label]
        stickers = sum(1 for other in self._people.values() for _ in other.stickers())
        if state.started is not None or stickers >= self._max_in_room:
            return []
        return [state.trigger(person.now, box)]

    def change(self, table: Mapping[str, ReactionRule], time: float) -> list[ReactionEvent]:
        """Go on with ``table``; what runs or builds up of a label that is off now ends."""
        self._tables = _tables(table)
        events: list[ReactionEvent] = []
        for (name, slot), person in self._people.items():
            person.now = max(time, person.now)
            table = self._table_of(name)
            for label in [label for label in person.states if label not in table]:
                events += _stop_one(person.states.pop(label), person.now)
            for label, rule in table.items():
                state = person.states.get(label)
                if state is None:
                    person.states[label] = self._idle(name, slot, label, rule)
                else:
                    state.rule = rule
        return events

    def sensitivity(self, participant: str) -> Sensitivity:
        """What counts for ``participant``: their own choice, or that of the room."""
        return self._chosen.get(participant, self._sensitivity)

    @property
    def chosen(self) -> Mapping[str, Sensitivity]:
        """The choices that participants made."""
        return dict(self._chosen)

    def choose(self, participant: str, sensitivity: Sensitivity) -> None:
        """Take the choice of ``participant``, who may be absent; it holds over leaving.

        What builds up or runs continues by the new rules.
        """
        if participant in self._chosen or len(self._chosen) < MOST_CHOICES:
            self._chosen[participant] = sensitivity
        self._use_tables()

    def choose_for_all(self, sensitivity: Sensitivity) -> None:
        """Change the sensitivity of all who made no choice of their own."""
        self._sensitivity = sensitivity
        self._use_tables()

    def _use_tables(self) -> None:
        for (name, _), person in self._people.items():
            table = self._table_of(name)
            for label, state in person.states.items():
                state.rule = table[label]

    def _table_of(self, participant: str) -> Mapping[str, ReactionRule]:
        return self._tables[self.sensitivity(participant)]

    def leave(self, participant: str, time: float) -> list[ReactionEvent]:
        """End what ``participant`` has running and forget them."""
        events = self.stop(participant, time)
        for key, _ in list(self._of(participant)):
            del self._people[key]
        return events

    def _of(self, participant: str) -> Iterator[tuple[PersonKey, _Person]]:
        """The people in the picture of ``participant``."""
        return ((key, one) for key, one in self._people.items() if key[0] == participant)

    def _person(self, key: PersonKey) -> _Person:
        if key not in self._people:
            states = {
                label: self._idle(*key, label, rule)
                for label, rule in self._table_of(key[0]).items()
            }
            self._people[key] = _Person(states)
        return self._people[key]

    def _idle(self, name: str, slot: int, label: str, rule: ReactionRule) -> ReactionState:
        return ReactionState(name, label, rule, self._evidence, person=slot)

    def _best(self, scores: Iterable[LabelScore]) -> dict[str, LabelScore]:
        best: dict[str, LabelScore] = {}
        table = self._tables[Sensitivity.NORMAL]
        for score in scores:
            known = score.label in table
            if known and (score.label not in best or score.score > best[score.label].score):
                best[score.label] = score
        return best

    def _give_way(self, person: _Person, best: dict[str, LabelScore]) -> dict[str, LabelScore]:
        """``best`` without the labels that a label seen on the same hand or face outranks."""
        beaten: set[str] = set()
        for label, score in best.items():
            state = person.states[label]
            rule = state.rule
            bar = rule.threshold if state.started is None else rule.release
            if score.score >= bar:
                beaten |= {
                    other
                    for other in rule.outranks
                    if other in best and _same_source(score, best[other])
                }
        return {label: score for label, score in best.items() if label not in beaten}

    def _lapse(self, person: _Person) -> list[ReactionEvent]:
        """Forget the evidence from before a gap without samples, and what it built up."""
        events = self._step(person, sampled=False)
        for state in person.states.values():
            state.forget()
        return events

    def _step(self, person: _Person, *, sampled: bool) -> list[ReactionEvent]:
        """Move every state of ``person`` on to ``person.now``."""
        events: list[ReactionEvent] = []
        now = person.now
        for state in person.states.values():
            if state.started is not None:
                events += [state.end(now)] if state.is_over(now) else []
            elif state.building and not state.is_held(now):
                events += state.give_up(now)
            elif sampled and not state.building and state.seen and now >= state.ready:
                state.begin()
        for state in sorted(person.states.values(), key=_strength, reverse=True):
            if state.is_full(now) and self._may_start(state, person):
                events += self._start(state, person)
        if sampled:
            for state in person.states.values():
                events += state.report_progress(now)
        return events

    def _may_start(self, state: ReactionState, person: _Person) -> bool:
        """Whether a place is free, and the hand isn't still showing another sticker."""
        leaving = list(_displaced(state, person))
        if any(other.started == person.now for other in leaving):
            return False
        if state.rule.kind is not Kind.STICKER:
            return True
        staying = [other for other in person.stickers() if other not in leaving]
        if any(other.seen and _same_hand(state, other) for other in staying):
            return False
        going = sum(other.rule.kind is Kind.STICKER for other in leaving)
        in_room = sum(1 for other in self._people.values() for _ in other.stickers())
        return len(staying) < self._max_stickers and in_room - going < self._max_in_room

    def _start(self, state: ReactionState, person: _Person) -> list[ReactionEvent]:
        events = [other.end(person.now) for other in list(_displaced(state, person))]
        for other in person.states.values():
            if other.building and _outranks(state, other):
                events += other.give_up(person.now)
        return [*events, state.start(person.now)]


def _tables(
    table: Mapping[str, ReactionRule],
) -> Mapping[Sensitivity, Mapping[str, ReactionRule]]:
    """The rules of the labels that are on, at each sensitivity."""
    on = {name: rule for name, rule in table.items() if rule.kind is not Kind.OFF}
    return {sensitivity: with_sensitivity(on, sensitivity) for sensitivity in Sensitivity}


def _displaced(state: ReactionState, person: _Person) -> Iterator[ReactionState]:
    """Running states that end when ``state`` starts.

    Those it outranks, and stickers of the same hand that the hand no longer shows.
    """
    for other in person.states.values():
        if other.started is None or other is state:
            continue
        stickers = state.rule.kind is other.rule.kind is Kind.STICKER
        replaced = stickers and _same_hand(state, other) and not other.seen
        if replaced or _outranks(state, other):
            yield other


def _stop(person: _Person) -> list[ReactionEvent]:
    """End everything of ``person`` at once."""
    events: list[ReactionEvent] = []
    for state in person.states.values():
        events += _stop_one(state, person.now)
    return events


def _stop_one(state: ReactionState, now: float) -> list[ReactionEvent]:
    events: list[ReactionEvent] = []
    if state.started is not None:
        events.append(state.end(now))
    elif state.building:
        events += state.give_up(now)
    state.forget()
    return events


def _strength(state: ReactionState) -> float:
    return 0.0 if state.sighting is None else state.sighting.score


def _same_source(one: LabelScore, other: LabelScore) -> bool:
    """Whether two scores may come from the same hand or face: all but left against right."""
    return one.hand is None or other.hand is None or one.hand is other.hand


def _outranks(state: ReactionState, other: ReactionState) -> bool:
    if other.label not in state.rule.outranks or state.sighting is None or other.sighting is None:
        return False
    return _same_source(state.sighting, other.sighting)


def _same_hand(one: ReactionState, other: ReactionState) -> bool:
    if one.sighting is None or other.sighting is None:
        return False
    return one.sighting.hand is not None and one.sighting.hand is other.sighting.hand
