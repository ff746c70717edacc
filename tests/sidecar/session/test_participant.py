"""What a participant's samples lead to: marks in the tile, events, counters."""

from dataclasses import replace

import av
import pytest

from config.reaction_rule import Kind, ReactionRule
from reactions.geometry import Box
from reactions.gestures.motion import Motion
from reactions.labels import LabelScore
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.track_state import Tracks
from reactions.pipeline import Detection, Memory
from reactions.policy import Policy
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.media.compositor.tiles import TileView
from sidecar.rooms.base import Consent, ReceiverConstraints
from sidecar.session.events import LiveScores, ReactionStep
from sidecar.session.participant import MAX_CHOICES, Consents, Participant

HERE = Box(0.1, 0.1, 0.2, 0.2)
THERE = Box(0.6, 0.5, 0.2, 0.2)
TABLE = {
    "thumbs_up": ReactionRule(
        sticker="thumbs_up", effect="confetti", release=0.5, hold=0.4, cooldown=0, duration=0.5
    ),
    "face": ReactionRule(kind=Kind.EVENT, hold=0),
}
EMPTY_MEMORY = Memory(Tracks(640, 360, Fingerprint(b"", 0.0)), Motion())


def reaction(
    stage: ReactionStage, label: str = "thumbs_up", progress: float = 1.0
) -> ReactionEvent:
    return ReactionEvent(stage, 3.0, "ada", label, 0.9, progress, HERE)


def detection(*scores: LabelScore) -> Detection:
    return Detection(scores, None, EMPTY_MEMORY, 5.0)


def thumb(score: float = 0.95, box: Box = HERE) -> Detection:
    return detection(LabelScore("thumbs_up", score, box))


def tile(participant: Participant) -> TileView:
    return participant.tile(None)


@pytest.fixture
def consents() -> Consents:
    return Consents()


@pytest.fixture
def ada(consents: Consents) -> Participant:
    policy = Policy(TABLE, evidence=(1, 1))
    return Participant("ada", "Ada", TABLE, policy, consents=consents)


def hold(participant: Participant, start: float, seconds: float) -> list[str]:
    """The kinds of the events of a thumb that is held up at 10 samples a second."""
    times = [start + number / 10 for number in range(round(seconds * 10) + 1)]
    return [event.kind for time in times for event in participant.process(thumb(), time)]


def test_a_started_reaction_puts_its_sticker_and_effect_on(ada: Participant) -> None:
    ada.apply([reaction(ReactionStage.STARTED)])
    [mark] = tile(ada).stickers
    assert (mark.sticker, mark.effect, mark.since, mark.anchor) == (
        "thumbs_up",
        "confetti",
        3.0,
        HERE,
    )
    assert ada.busy


def test_an_ended_reaction_takes_the_sticker_off(ada: Participant) -> None:
    ada.apply([reaction(ReactionStage.STARTED), reaction(ReactionStage.ENDED)])
    assert tile(ada).stickers == ()
    assert not ada.busy


def test_a_hold_shows_a_ring_until_it_starts(ada: Participant) -> None:
    ada.apply([reaction(ReactionStage.PROGRESS, progress=0.4)])
    [ring] = tile(ada).holds
    assert ring.progress == 0.4
    assert ada.progress == {"thumbs_up": 0.4}
    ada.apply([reaction(ReactionStage.STARTED)])
    assert tile(ada).holds == ()
    assert ada.progress == {}


def test_a_hold_given_up_loses_its_ring(ada: Participant) -> None:
    ada.apply(
        [
            reaction(ReactionStage.PROGRESS, progress=0.4),
            reaction(ReactionStage.PROGRESS, progress=0.0),
        ]
    )
    assert tile(ada).holds == ()


def test_a_label_that_is_events_only_draws_nothing(ada: Participant) -> None:
    ada.apply(
        [reaction(ReactionStage.PROGRESS, "face", 0.5), reaction(ReactionStage.STARTED, "face")]
    )
    assert not tile(ada).stickers
    assert not tile(ada).holds


def test_a_sticker_follows_its_label(ada: Participant) -> None:
    ada.apply([reaction(ReactionStage.STARTED)])
    ada.process(thumb(0.8, THERE), 4.0)
    assert tile(ada).stickers[0].anchor == THERE


def test_a_sticker_does_not_follow_a_score_below_release(ada: Participant) -> None:
    ada.apply([reaction(ReactionStage.STARTED)])
    ada.process(thumb(0.2, THERE), 4.0)
    assert tile(ada).stickers[0].anchor == HERE


def test_samples_become_a_reaction_and_the_scores_come_last(ada: Participant) -> None:
    kinds = hold(ada, 1.0, 0.4)
    assert "reaction.started" in kinds
    assert kinds[-1] == "scores"
    assert [mark.sticker for mark in tile(ada).stickers] == ["thumbs_up"]


def test_scores_of_labels_that_are_off_in_this_room_are_left_out() -> None:
    table = {**TABLE, "fist": ReactionRule(kind=Kind.OFF)}
    ada = Participant("p", "Ada", table, Policy(table))
    seen = (LabelScore("fist", 0.9, HERE), LabelScore("face", 0.8, HERE))
    (*_, scores) = ada.process(Detection(seen, None, EMPTY_MEMORY, 1.0), 0.0)
    assert isinstance(scores, LiveScores)
    assert [one.label for one in scores.scores] == ["face"]


def test_a_sample_is_counted_and_its_memory_kept_for_the_next(ada: Participant) -> None:
    ada.process(thumb(), 7.0)
    stats = ada.stats(7.5)
    assert (stats.samples, stats.sample_age, stats.detection_ms) == (1, 0.5, 5.0)
    assert ada.memory is EMPTY_MEMORY


def test_events_are_in_seconds_since_the_epoch_and_marks_on_the_clock() -> None:
    policy = Policy({"thumbs_up": ReactionRule(hold=0)}, evidence=(1, 1))
    ada = Participant("ada", "Ada", TABLE, policy, epoch=100.0)
    events = ada.process(thumb(), 103.0)
    assert {event.time for event in events} == {3.0}
    assert isinstance(events[-1], LiveScores)
    assert tile(ada).stickers[0].since == 103.0


def test_opting_out_ends_what_runs_at_once_and_later_samples_have_no_events(
    ada: Participant,
) -> None:
    hold(ada, 1.0, 0.4)
    events = ada.choose(Consent.OPT_OUT, 2.0)
    assert [event.kind for event in events] == ["reaction.ended"]
    assert tile(ada).stickers == ()
    assert ada.memory is None
    assert ada.scores == ()
    assert ada.process(thumb(), 2.1) == []
    assert ada.stats(2.2).opted_out


def test_opting_back_in_needs_a_new_hold(ada: Participant) -> None:
    hold(ada, 1.0, 0.3)
    ada.choose(Consent.OPT_OUT, 1.4)
    assert ada.choose(Consent.OPT_IN, 1.5) == []
    assert "reaction.started" not in hold(ada, 1.6, 0.3)
    assert "reaction.started" in hold(ada, 2.0, 0.1)


def test_opting_in_twice_leaves_what_runs_alone(ada: Participant) -> None:
    hold(ada, 1.0, 0.4)
    assert ada.choose(Consent.OPT_IN, 1.5) == []
    assert tile(ada).stickers != ()


def test_leaving_ends_what_runs(ada: Participant) -> None:
    hold(ada, 1.0, 0.4)
    [ended] = ada.leave(2.0)
    assert isinstance(ended, ReactionStep)
    assert (ended.kind, ended.name) == ("reaction.ended", "Ada")


def test_the_choice_is_kept_in_one_place(ada: Participant, consents: Consents) -> None:
    consents["ada"] = Consent.OPT_OUT
    assert ada.opted_out


def test_participants_who_made_no_choice_have_the_default() -> None:
    assert Consents(Consent.OPT_OUT)["ada"] is Consent.OPT_OUT


def test_no_more_choices_are_kept_than_the_limit() -> None:
    consents = Consents()
    for number in range(MAX_CHOICES + 1):
        consents[str(number)] = Consent.OPT_OUT
    assert consents[str(MAX_CHOICES)] is Consent.OPT_IN
    consents["0"] = Consent.OPT_IN
    assert consents["0"] is Consent.OPT_IN


def test_an_old_frame_of_a_paused_camera_is_not_stale(ada: Participant) -> None:
    assert not ada.paused
    ada.constraints = ReceiverConstraints(320, 180, 5.0, paused=True)
    assert ada.paused


def test_the_caption_may_differ_from_the_name() -> None:
    frame = av.VideoFrame(64, 36, "yuv420p")
    ada = Participant("ada", "Ada", TABLE, Policy(TABLE), caption="")
    view = ada.tile(frame, stale=True)
    assert (view.name, view.frame, view.stale) == ("", frame, True)
    assert ada.name == "Ada"


def test_two_people_in_one_tile_wear_a_sticker_each_and_the_second_is_named(
    ada: Participant,
) -> None:
    second = replace(reaction(ReactionStage.STARTED), person=1, box=THERE)
    first, other = ada.apply([reaction(ReactionStage.STARTED), second])
    assert [(mark.person, mark.anchor) for mark in tile(ada).stickers] == [(0, HERE), (1, THERE)]
    assert "person" not in first.payload()
    assert other.payload()["person"] == 1
    ada.process(detection(replace(thumb().scores[0], box=THERE)), 3.2)
    assert [mark.anchor for mark in tile(ada).stickers] == [THERE, THERE]
    ada.apply([replace(second, stage=ReactionStage.ENDED)])
    assert [mark.person for mark in tile(ada).stickers] == [0]
