"""Scores over time to reactions: evidence, hold, hysteresis, cooldown, limits.

Pure: no clock, no I/O. Times are seconds on the clock that stamps the samples, and the same calls
give the same events. docs/policy.md explains each rule with its reason.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from config.reaction_rule import Kind, ReactionRule
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.reaction_event import ReactionEvent
from reactions.reaction_state import EvidenceWindow, ReactionState

STALE_AFTER = 1.5
"""Seconds without a sample after which what was seen before counts no more."""


@dataclass(slots=True)
class _Person:
    courses: dict[str, ReactionState]
    newest: float = -inf
    """The time of the newest sample."""
    now: float = -inf
    """The time of the newest call: events of one participant never go back in time."""

    def stickers(self) -> Iterator[ReactionState]:
        """The courses whose stickers are running."""
        for course in self.courses.values():
            if course.started is not None and course.rule.kind is Kind.STICKER:
                yield course


class Policy:
    """Turns every participant's label scores into started, progress and ended events.

    ``evidence`` is (k, n): a hold begins with the first sample at the label's threshold, continues
    while at most n - k of the newest n samples miss it, and needs k samples that hit it. With
    faster sampling the same share of misses is taken of all samples of the last 0.6 s.
    ``max_stickers`` is how many stickers one participant may wear at once, ``max_in_room`` how
    many all of them together; who is over the limit waits with a full hold. ``STALE_AFTER``
    seconds without a sample end what was seen until then.

    Each call returns its events in the order of happening: at most one a participant and label.
    """

    def __init__(
        self,
        table: Mapping[str, ReactionRule],
        *,
        evidence: tuple[int, int] = (3, 4),
        max_stickers: int = 2,
        max_in_room: int = 12,
    ) -> None:
        hits, samples = evidence
        if not 1 <= hits <= samples:
            raise ValueError(f"evidence must be (k, n) with 1 ≤ k ≤ n, not {evidence}")
        self._table = {name: rule for name, rule in table.items() if rule.kind is not Kind.OFF}
        self._demand = EvidenceWindow(hits, samples, STALE_AFTER)
        self._max_stickers = max_stickers
        self._max_in_room = max_in_room
        self._people: dict[str, _Person] = {}

    def observe(
        self, participant: str, scores: Iterable[LabelScore], time: float
    ) -> list[ReactionEvent]:
        """Take the scores of ``participant``'s sample of ``time`` into account.

        A label that ``scores`` leave out counts as not seen; labels outside the table are ignored,
        and so is a sample that is no newer than the last one.
        """
        person = self._person(participant)
        if time <= person.newest:
            return []
        person.now = max(time, person.now)
        gap = time - person.newest > self._demand.stale_after
        lapsed = self._lapse(person) if gap else []
        person.newest = time
        seen = self._give_way(person, self._best(scores))
        for label, course in person.courses.items():
            course.note(time, seen.get(label))
        return lapsed or self._step(person, sampled=True)

    def advance(self, time: float) -> list[ReactionEvent]:
        """Let time pass without a sample: full holds start, and what is no longer seen ends."""
        events: list[ReactionEvent] = []
        for person in self._people.values():
            person.now = max(time, person.now)
            events += self._step(person, sampled=False)
        return events

    def stop(self, participant: str, time: float) -> list[ReactionEvent]:
        """End what ``participant`` has running, as after an opt-out; cooldowns stay.

        A later sample counts again: the caller stops observing participants who opted out.
        """
        person = self._person(participant)
        person.now = max(time, person.now)
        return _stop(person)

    def trigger(self, participant: str, label: str, time: float, box: Box) -> list[ReactionEvent]:
        """Start ``label`` at ``time`` without evidence, as an operator asks for it.

        It plays at ``box`` unless the label was seen before, for its duration. Nothing happens
        where it runs already, or where the room has as many stickers as it may have. Raises
        KeyError for a label that is off.
        """
        person = self._person(participant)
        person.now = max(time, person.now)
        course = person.courses[label]
        stickers = sum(1 for other in self._people.values() for _ in other.stickers())
        if course.started is not None or stickers >= self._max_in_room:
            return []
        return [course.trigger(person.now, box)]

    def change(self, table: Mapping[str, ReactionRule], time: float) -> list[ReactionEvent]:
        """Go on with ``table``; what runs or builds up of a label that is off now ends."""
        self._table = {name: rule for name, rule in table.items() if rule.kind is not Kind.OFF}
        events: list[ReactionEvent] = []
        for name, person in self._people.items():
            person.now = max(time, person.now)
            for label in [label for label in person.courses if label not in self._table]:
                events += _stop_one(person.courses.pop(label), person.now)
            for label, rule in self._table.items():
                course = person.courses.get(label)
                if course is None:
                    person.courses[label] = ReactionState(name, label, rule, self._demand)
                else:
                    course.rule = rule
        return events

    def leave(self, participant: str, time: float) -> list[ReactionEvent]:
        """End what ``participant`` has running and forget them."""
        person = self._people.pop(participant, None)
        if person is None:
            return []
        person.now = max(time, person.now)
        return _stop(person)

    def _person(self, name: str) -> _Person:
        if name not in self._people:
            self._people[name] = _Person(
                {
                    label: ReactionState(name, label, rule, self._demand)
                    for label, rule in self._table.items()
                }
            )
        return self._people[name]

    def _best(self, scores: Iterable[LabelScore]) -> dict[str, LabelScore]:
        best: dict[str, LabelScore] = {}
        for score in scores:
            known = score.label in self._table
            if known and (score.label not in best or score.score > best[score.label].score):
                best[score.label] = score
        return best

    def _give_way(self, person: _Person, best: dict[str, LabelScore]) -> dict[str, LabelScore]:
        """``best`` without the labels that a label seen on the same hand or face outranks."""
        beaten: set[str] = set()
        for label, score in best.items():
            rule, course = self._table[label], person.courses[label]
            bar = rule.threshold if course.started is None else rule.release
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
        for course in person.courses.values():
            course.forget()
        return events

    def _step(self, person: _Person, *, sampled: bool) -> list[ReactionEvent]:
        """Move every course of ``person`` on to ``person.now``."""
        events: list[ReactionEvent] = []
        now = person.now
        for course in person.courses.values():
            if course.started is not None:
                events += [course.end(now)] if course.is_over(now) else []
            elif course.building and not course.is_held(now):
                events += course.give_up(now)
            elif sampled and not course.building and course.seen and now >= course.ready:
                course.begin()
        for course in sorted(person.courses.values(), key=_strength, reverse=True):
            if course.is_full(now) and self._may_start(course, person):
                events += self._start(course, person)
        if sampled:
            for course in person.courses.values():
                events += course.tell_progress(now)
        return events

    def _may_start(self, course: ReactionState, person: _Person) -> bool:
        """Whether a place is free, and the hand isn't still showing another sticker."""
        leaving = list(_displaced(course, person))
        if any(other.started == person.now for other in leaving):
            return False
        if course.rule.kind is not Kind.STICKER:
            return True
        staying = [other for other in person.stickers() if other not in leaving]
        if any(other.seen and _same_hand(course, other) for other in staying):
            return False
        going = sum(other.rule.kind is Kind.STICKER for other in leaving)
        in_room = sum(1 for other in self._people.values() for _ in other.stickers())
        return len(staying) < self._max_stickers and in_room - going < self._max_in_room

    def _start(self, course: ReactionState, person: _Person) -> list[ReactionEvent]:
        events = [other.end(person.now) for other in list(_displaced(course, person))]
        for other in person.courses.values():
            if other.building and _outranks(course, other):
                events += other.give_up(person.now)
        return [*events, course.start(person.now)]


def _displaced(course: ReactionState, person: _Person) -> Iterator[ReactionState]:
    """Running courses that end when ``course`` starts.

    Those it outranks, and stickers of the same hand that the hand no longer shows.
    """
    for other in person.courses.values():
        if other.started is None or other is course:
            continue
        stickers = course.rule.kind is other.rule.kind is Kind.STICKER
        replaced = stickers and _same_hand(course, other) and not other.seen
        if replaced or _outranks(course, other):
            yield other


def _stop(person: _Person) -> list[ReactionEvent]:
    """End everything of ``person`` at once."""
    events: list[ReactionEvent] = []
    for course in person.courses.values():
        events += _stop_one(course, person.now)
    return events


def _stop_one(course: ReactionState, now: float) -> list[ReactionEvent]:
    events: list[ReactionEvent] = []
    if course.started is not None:
        events.append(course.end(now))
    elif course.building:
        events += course.give_up(now)
    course.forget()
    return events


def _strength(course: ReactionState) -> float:
    return 0.0 if course.sighting is None else course.sighting.score


def _same_source(one: LabelScore, other: LabelScore) -> bool:
    """Whether two scores may come from the same hand or face: all but left against right."""
    return one.hand is None or other.hand is None or one.hand is other.hand


def _outranks(course: ReactionState, other: ReactionState) -> bool:
    if other.label not in course.rule.outranks or course.sighting is None or other.sighting is None:
        return False
    return _same_source(course.sighting, other.sighting)


def _same_hand(one: ReactionState, other: ReactionState) -> bool:
    if one.sighting is None or other.sighting is None:
        return False
    return one.sighting.hand is not None and one.sighting.hand is other.sighting.hand
