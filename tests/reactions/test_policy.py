"""What the policy makes of scores over time: single rules first, then what never may happen."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from config.reaction_rule import Kind, ReactionRule
from config.sensitivity import Sensitivity
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.landmark_types import Side
from reactions.policy import Policy
from reactions.reaction_event import ReactionEvent, ReactionStage

BOX = Box(0.4, 0.4, 0.2, 0.2)
RULE = ReactionRule(
    kind=Kind.STICKER, threshold=0.7, release=0.5, hold=0.8, cooldown=3, duration=2, sticker="x"
)
TABLE = {"thumbs_up": RULE, "victory": RULE}


def seen(label: str = "thumbs_up", score: float = 0.9, hand: Side | None = None) -> LabelScore:
    return LabelScore(label, score, BOX, hand)


def samples(
    policy: Policy, scores: Iterable[float], *, start: float = 0.0, step: float = 0.2
) -> list[ReactionEvent]:
    """Feed one score of thumbs_up a sample to the policy; 0 leaves it out."""
    events: list[ReactionEvent] = []
    for index, score in enumerate(scores):
        shown = [seen(score=score)] if score else []
        events += policy.observe("ann", shown, start + index * step)
    return events


def stages(events: Iterable[ReactionEvent]) -> list[ReactionStage]:
    return [event.stage for event in events]


def running(policy: Policy) -> Policy:
    """``policy`` with ann's thumbs_up started at 0.8 s."""
    assert stages(samples(policy, [0.9] * 5))[-1] is ReactionStage.STARTED
    return policy


def test_a_held_label_builds_up_and_starts_when_its_hold_is_complete() -> None:
    events = samples(Policy(TABLE), [0.9] * 6)
    assert stages(events) == [ReactionStage.PROGRESS] * 3 + [ReactionStage.STARTED]
    assert [event.progress for event in events] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert events[-1].time == pytest.approx(0.8)


@pytest.mark.parametrize("rate", [2, 3, 5, 10, 15])
def test_a_reaction_starts_soon_after_its_hold_at_any_sampling_rate(rate: int) -> None:
    policy = Policy(TABLE)
    tick, next_sample = 0.0, 0.0
    while tick < 3:
        events = policy.advance(tick)
        if tick >= next_sample:
            events += policy.observe("ann", [seen()], tick)
            next_sample += 1 / rate
        if ReactionStage.STARTED in stages(events):
            break
        tick += 0.04
    # Three samples are asked for: at two a second they take longer than the hold.
    assert tick - max(RULE.hold, 2 / rate) <= 0.08


def test_a_hold_completes_between_two_samples_when_time_advances() -> None:
    policy = Policy(TABLE)
    samples(policy, [0.9] * 4)
    assert policy.advance(0.7) == []
    assert stages(policy.advance(0.81)) == [ReactionStage.STARTED]


def test_one_missed_sample_of_four_does_not_break_a_hold() -> None:
    events = samples(Policy(TABLE), [0.9, 0.9, 0, 0.9, 0.9])
    assert stages(events)[-1] is ReactionStage.STARTED


def test_two_missed_samples_of_four_give_a_hold_up_and_say_so_once() -> None:
    events = samples(Policy(TABLE), [0.9, 0.9, 0, 0, 0, 0])
    assert [event.progress for event in events][-1] == 0
    assert [event.progress for event in events].count(0) == 1


def test_at_fast_sampling_a_burst_of_misses_is_judged_by_its_share() -> None:
    scores = [0.9] * 6 + [0] * 2 + [0.9] * 6
    assert stages(samples(Policy(TABLE), scores, step=1 / 15))[-1] is ReactionStage.STARTED


def test_a_single_sample_gives_no_event() -> None:
    assert samples(Policy(TABLE), [0.9, 0, 0, 0]) == []


def test_scores_between_release_and_threshold_do_not_begin_a_hold() -> None:
    assert samples(Policy(TABLE), [0.6] * 10) == []


def test_scores_between_release_and_threshold_keep_a_reaction_running() -> None:
    policy = running(Policy(TABLE))
    assert samples(policy, [0.6] * 20, start=1.0) == []


def test_a_reaction_lasts_as_long_as_it_is_held() -> None:
    policy = running(Policy(TABLE))
    assert samples(policy, [0.9] * 50, start=1.0) == []


def test_a_short_gesture_still_plays_its_duration() -> None:
    policy = running(Policy(TABLE))
    (ended,) = samples(policy, [0] * 20, start=1.0)
    assert ended.stage is ReactionStage.ENDED
    assert ended.time == pytest.approx(0.8 + RULE.duration, abs=0.21)


def test_without_samples_time_alone_ends_a_reaction() -> None:
    policy = running(Policy(TABLE))
    assert policy.advance(2.0) == []
    assert stages(policy.advance(3.0)) == [ReactionStage.ENDED]


def test_without_samples_a_hold_is_given_up() -> None:
    policy = Policy(TABLE)
    samples(policy, [0.9] * 3)
    (event,) = policy.advance(2.0)
    assert (event.stage, event.progress) == (ReactionStage.PROGRESS, 0)


def test_evidence_from_before_a_gap_completes_no_hold() -> None:
    policy = Policy(TABLE)
    samples(policy, [0.9] * 4)
    assert ReactionStage.STARTED not in stages(samples(policy, [0.9] * 4, start=5.0))


def test_the_same_reaction_cannot_start_again_within_its_cooldown() -> None:
    policy = running(Policy(TABLE))
    samples(policy, [0] * 12, start=1.0)  # ends at 2.8 s
    again = samples(policy, [0.9] * 30, start=3.6)
    assert again[-1].stage is ReactionStage.STARTED
    assert again[-1].time >= 2.8 + RULE.cooldown + RULE.hold


def test_a_cooldown_is_one_participants_own() -> None:
    policy = running(Policy(TABLE))
    events = [event for index in range(5) for event in policy.observe("bob", [seen()], index * 0.2)]
    assert stages(events)[-1] is ReactionStage.STARTED


def test_stopping_ends_what_runs_at_once() -> None:
    policy = running(Policy(TABLE))
    assert stages(policy.stop("ann", 1.0)) == [ReactionStage.ENDED]
    assert policy.advance(9.0) == []


def test_a_label_that_was_stopped_needs_a_new_hold() -> None:
    policy = Policy(TABLE)
    samples(policy, [0.9] * 3)
    policy.stop("ann", 0.7)
    events = samples(policy, [0.9] * 5, start=1.2)
    assert stages(events) == [ReactionStage.PROGRESS] * 3 + [ReactionStage.STARTED]


def test_a_triggered_reaction_plays_its_duration() -> None:
    policy = Policy(TABLE)
    (started,) = policy.trigger("ann", "thumbs_up", 1.0, BOX)
    assert (started.stage, started.label, started.box) == (ReactionStage.STARTED, "thumbs_up", BOX)
    duration = TABLE["thumbs_up"].duration
    assert policy.advance(1.0 + duration - 0.1) == []
    assert stages(policy.advance(1.0 + duration)) == [ReactionStage.ENDED]


def test_a_running_reaction_is_not_triggered_again() -> None:
    policy = Policy(TABLE)
    policy.trigger("ann", "thumbs_up", 1.0, BOX)
    assert policy.trigger("ann", "thumbs_up", 1.5, BOX) == []


def test_a_full_room_takes_no_triggered_reaction() -> None:
    policy = Policy(TABLE, max_in_room=1)
    policy.trigger("ann", "thumbs_up", 1.0, BOX)
    assert policy.trigger("bob", "thumbs_up", 1.0, BOX) == []


def test_a_label_that_is_off_can_t_be_triggered() -> None:
    with pytest.raises(KeyError):
        Policy(TABLE).trigger("ann", "no_such_label", 1.0, BOX)


def test_leaving_ends_what_runs_and_forgets_the_participant() -> None:
    policy = running(Policy(TABLE))
    assert stages(policy.leave("ann", 1.0)) == [ReactionStage.ENDED]
    assert policy.leave("ann", 1.1) == []
    assert stages(samples(policy, [0.9] * 5, start=1.2))[-1] is ReactionStage.STARTED


def test_a_label_that_is_off_never_reacts() -> None:
    table = {"thumbs_up": RULE.model_copy(update={"kind": Kind.OFF})}
    assert samples(Policy(table), [1.0] * 10) == []


def test_labels_outside_the_table_are_ignored() -> None:
    policy = Policy(TABLE)
    assert [event for i in range(9) for event in policy.observe("ann", [seen("rock")], i / 5)] == []


def test_a_sample_that_is_no_newer_than_the_last_is_ignored() -> None:
    policy = Policy(TABLE)
    policy.observe("ann", [seen()], 1.0)
    assert [event for _ in range(9) for event in policy.observe("ann", [seen()], 1.0)] == []


def test_events_carry_the_newest_sighting() -> None:
    policy = Policy(TABLE)
    moved = Box(0.1, 0.1, 0.2, 0.2)
    samples(policy, [0.9] * 4)
    (started,) = policy.observe("ann", [LabelScore("thumbs_up", 0.95, moved, Side.LEFT)], 0.8)
    assert (started.box, started.score, started.hand) == (moved, 0.95, Side.LEFT)


def test_one_participant_wears_at_most_so_many_stickers_at_once() -> None:
    policy = Policy(TABLE, max_stickers=1)
    both = [seen("thumbs_up", 0.95, Side.LEFT), seen("victory", 0.9, Side.RIGHT)]
    events = [event for i in range(10) for event in policy.observe("ann", both, i * 0.2)]
    started = [event.label for event in events if event.stage is ReactionStage.STARTED]
    assert started == ["thumbs_up"]
    assert events[-1].label == "victory"
    assert events[-1].progress == 1


def test_the_room_wears_at_most_so_many_stickers_at_once() -> None:
    policy = running(Policy(TABLE, max_in_room=1))
    held = [event for i in range(9) for event in policy.observe("bob", [seen()], 1 + i * 0.2)]
    assert ReactionStage.STARTED not in stages(held)
    policy.leave("ann", 3.0)
    assert stages(policy.observe("bob", [seen()], 3.0)) == [ReactionStage.STARTED]


def test_events_without_a_sticker_need_no_place() -> None:
    table = {"thumbs_up": RULE, "victory": RULE.model_copy(update={"kind": Kind.EVENT})}
    policy = running(Policy(table, max_stickers=1))
    events = [event for i in range(5) for event in policy.observe("ann", [seen("victory")], 1 + i)]
    assert ReactionStage.STARTED in stages(events)


RANKED = {"open_palm": RULE, "wave": RULE.model_copy(update={"outranks": ("open_palm",)})}


def test_a_label_gives_way_while_one_that_outranks_it_is_seen_on_its_hand() -> None:
    policy = Policy(RANKED)
    both = [seen("open_palm", 0.99, Side.LEFT), seen("wave", 0.8, Side.LEFT)]
    events = [event for i in range(10) for event in policy.observe("ann", both, i * 0.2)]
    assert {event.label for event in events} == {"wave"}


def test_the_other_hand_does_not_give_way() -> None:
    policy = Policy(RANKED)
    both = [seen("open_palm", 0.99, Side.RIGHT), seen("wave", 0.8, Side.LEFT)]
    events = [event for i in range(10) for event in policy.observe("ann", both, i * 0.2)]
    assert {event.label for event in events} == {"open_palm", "wave"}


def test_a_reaction_that_starts_ends_the_one_it_outranks_on_the_same_hand() -> None:
    policy = Policy(RANKED)
    for index in range(6):
        policy.observe("ann", [seen("open_palm", 0.9, Side.LEFT)], index * 0.2)
    events = []
    for index in range(6, 12):
        events += policy.observe("ann", [seen("wave", 0.9, Side.LEFT)], index * 0.2)
    last = [(event.label, event.stage) for event in events[-2:]]
    assert last == [("open_palm", ReactionStage.ENDED), ("wave", ReactionStage.STARTED)]


def test_a_hand_that_shows_something_new_wears_only_the_new_sticker() -> None:
    policy = Policy(TABLE)
    for index in range(5):
        policy.observe("ann", [seen("thumbs_up", 0.9, Side.LEFT)], index * 0.2)
    events = []
    for index in range(5, 10):
        events += policy.observe("ann", [seen("victory", 0.9, Side.LEFT)], index * 0.2)
    last = [(event.label, event.stage) for event in events[-2:]]
    assert last == [("thumbs_up", ReactionStage.ENDED), ("victory", ReactionStage.STARTED)]


@pytest.mark.parametrize("evidence", [(0, 3), (4, 3)])
def test_evidence_that_cannot_be_is_refused(evidence: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="1 ≤ k ≤ n"):
        Policy(TABLE, evidence=evidence)


PEOPLE = ("ann", "bob")
MACHINE_TABLE = {
    "smile": RULE.model_copy(update={"hold": 0.0, "cooldown": 0.5, "duration": 0.5}),
    "wave": RULE.model_copy(update={"hold": 0.4, "outranks": ("open_palm",)}),
    "open_palm": RULE.model_copy(update={"cooldown": 0.0, "duration": 0.1}),
    "fist": RULE.model_copy(update={"kind": Kind.EVENT, "hold": 0.2, "cooldown": 1.0}),
}
_scores = st.builds(
    LabelScore,
    st.sampled_from(sorted(MACHINE_TABLE)),
    st.sampled_from([0.0, 0.49, 0.5, 0.69, 0.7, 1.0]) | st.floats(0, 1),
    st.just(BOX),
    st.sampled_from([None, Side.LEFT, Side.RIGHT]),
)


class AnyMeeting(RuleBasedStateMachine):
    """Two participants and any order of samples: the events are consistent."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = Policy(MACHINE_TABLE, evidence=(2, 3), max_stickers=2, max_in_room=3)
        self.time = 0.0
        self.started: dict[tuple[str, str], float] = {}
        self.ended: dict[tuple[str, str], float] = {}
        self.reported: dict[tuple[str, str], float] = {}
        self.showing: dict[str, list[LabelScore]] = {name: [] for name in PEOPLE}

    @rule(step=st.sampled_from([1 / 15, 0.2, 0.5]) | st.floats(0, 4))
    def wait(self, step: float) -> None:
        self.time += step
        self.take(self.policy.advance(self.time))

    @rule(name=st.sampled_from(PEOPLE), scores=st.lists(_scores, max_size=5))
    def show(self, name: str, scores: list[LabelScore]) -> None:
        self.showing[name] = scores

    @rule(count=st.integers(1, 12), step=st.sampled_from([1 / 15, 0.2, 0.5]))
    def hold_still(self, count: int, step: float) -> None:
        for _ in range(count):
            self.time += step
            for name in PEOPLE:
                self.take(self.policy.observe(name, self.showing[name], self.time))

    @rule(name=st.sampled_from(PEOPLE))
    def stop(self, name: str) -> None:
        self.take(self.policy.stop(name, self.time), forced=True)
        assert not any(who == name for who, _ in self.started)
        assert not any(self.reported[key] for key in self.reported if key[0] == name)

    @rule(name=st.sampled_from(PEOPLE))
    def leave(self, name: str) -> None:
        self.take(self.policy.leave(name, self.time), forced=True)
        for label in MACHINE_TABLE:
            self.ended.pop((name, label), None)
            assert (name, label) not in self.started
            assert self.reported.get((name, label), 0) == 0

    def take(self, events: list[ReactionEvent], *, forced: bool = False) -> None:
        touched = [(event.participant, event.label) for event in events]
        assert len(touched) == len(set(touched)), "two events of one label in one call"
        for event in events:
            key, rule = (event.participant, event.label), MACHINE_TABLE[event.label]
            assert event.time == self.time
            match event.stage:
                case ReactionStage.PROGRESS:
                    assert key not in self.started
                    assert 0 <= event.progress <= 1
                    assert event.progress != self.reported.get(key, 0.0)
                    self.reported[key] = event.progress
                case ReactionStage.STARTED:
                    assert key not in self.started
                    assert event.progress == 1
                    assert event.time >= self.ended.get(key, -1e9) + rule.cooldown
                    self.started[key] = event.time
                    self.reported[key] = 0.0
                case ReactionStage.ENDED:
                    since = self.started.pop(key)
                    displaced = event.hand is not None or event.label == "open_palm"
                    assert forced or displaced or event.time - since >= rule.duration
                    self.ended[key] = event.time

    @invariant()
    def stickers_stay_within_the_limit(self) -> None:
        worn = [key for key in self.started if MACHINE_TABLE[key[1]].kind is Kind.STICKER]
        assert len(worn) <= 3
        assert all(sum(name == who for who, _ in worn) <= 2 for name in PEOPLE)

    def teardown(self) -> None:
        self.time += 60
        self.take(self.policy.advance(self.time))
        assert not self.started
        assert not any(self.reported.values())


AnyMeeting.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyMeeting = AnyMeeting.TestCase


def test_sensitivity_decides_which_scores_start_a_reaction() -> None:
    for sensitivity, score, starts in [
        (Sensitivity.CALM, 0.75, False),
        (Sensitivity.CALM, 0.95, True),
        (Sensitivity.NORMAL, 0.65, False),
        (Sensitivity.PLAYFUL, 0.65, True),
    ]:
        policy = Policy(TABLE, sensitivity=sensitivity)
        assert (ReactionStage.STARTED in stages(samples(policy, [score] * 8))) is starts


def test_a_participants_own_choice_counts_for_them_alone_and_over_leaving() -> None:
    policy = Policy(TABLE)
    policy.choose("ann", Sensitivity.PLAYFUL)
    policy.leave("ann", 0.0)
    policy.choose_for_all(Sensitivity.CALM)
    assert policy.sensitivity("ann") is Sensitivity.PLAYFUL
    assert policy.sensitivity("bob") is Sensitivity.CALM
    assert stages(samples(policy, [0.65] * 6))[-1] is ReactionStage.STARTED


def test_a_changed_sensitivity_counts_for_what_builds_up() -> None:
    policy = Policy(TABLE)
    samples(policy, [0.75] * 3)
    policy.choose_for_all(Sensitivity.CALM)
    assert ReactionStage.STARTED not in stages(samples(policy, [0.75] * 8, start=0.6))


def test_two_people_in_one_picture_have_reactions_of_their_own() -> None:
    policy = Policy(TABLE)
    events: list[ReactionEvent] = []
    for index in range(6):
        scores = [seen(), replace(seen(), person=1), replace(seen("victory"), person=2)]
        events += policy.observe("ann", scores[: 2 + index // 2], index / 5)
    started = [(one.person, one.label) for one in events if one.stage is ReactionStage.STARTED]
    assert started == [(0, "thumbs_up"), (1, "thumbs_up")]
    ended = policy.stop("ann", 1.2)
    assert {(one.person, one.stage) for one in ended} == {
        (0, ReactionStage.ENDED),
        (1, ReactionStage.ENDED),
        (2, ReactionStage.PROGRESS),
    }
    assert policy.leave("ann", 1.3) == []


def test_a_person_who_is_gone_ends_alone() -> None:
    policy = Policy(TABLE)
    both = [seen(), replace(seen(), person=1)]
    for index in range(6):
        policy.observe("ann", both, index / 5)
    later = [policy.observe("ann", [seen()], 1.2 + index / 5) for index in range(15)]
    (ended,) = [event for events in later for event in events]
    assert (ended.stage, ended.person) == (ReactionStage.ENDED, 1)
