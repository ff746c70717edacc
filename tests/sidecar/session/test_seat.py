"""What a participant wears."""

import pytest

from config.reaction_rule import Kind, ReactionRule
from reactions.geometry import Box
from reactions.gestures.motion import Motion
from reactions.labels import LabelScore
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.track_state import Tracks
from reactions.pipeline import Detection, Memory
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.session.seat import Seat

HERE = Box(0.1, 0.1, 0.2, 0.2)
THERE = Box(0.6, 0.5, 0.2, 0.2)
TABLE = {
    "thumbs_up": ReactionRule(sticker="thumbs_up", effect="confetti", release=0.5),
    "face": ReactionRule(kind=Kind.EVENT),
}
NOTHING_REMEMBERED = Memory(Tracks(640, 360, Fingerprint(b"", 0.0)), Motion())


def event(stage: ReactionStage, label: str = "thumbs_up", progress: float = 1.0) -> ReactionEvent:
    return ReactionEvent(stage, 3.0, "ada", label, 0.9, progress, HERE)


def detection(*scores: LabelScore) -> Detection:
    return Detection(scores, None, NOTHING_REMEMBERED, 5.0)


@pytest.fixture
def seat() -> Seat:
    return Seat("ada", "Ada", TABLE)


def test_a_started_reaction_puts_its_sticker_and_effect_on(seat: Seat) -> None:
    seat.apply([event(ReactionStage.STARTED)])
    [mark] = seat.tile(None).stickers
    assert (mark.sticker, mark.effect, mark.since, mark.anchor) == (
        "thumbs_up",
        "confetti",
        3.0,
        HERE,
    )


def test_an_ended_reaction_takes_the_sticker_off(seat: Seat) -> None:
    seat.apply([event(ReactionStage.STARTED), event(ReactionStage.ENDED)])
    assert seat.tile(None).stickers == ()


def test_a_hold_shows_a_ring_until_it_starts(seat: Seat) -> None:
    seat.apply([event(ReactionStage.PROGRESS, progress=0.4)])
    [ring] = seat.tile(None).holds
    assert ring.progress == 0.4
    assert seat.progress == {"thumbs_up": 0.4}
    seat.apply([event(ReactionStage.STARTED)])
    assert seat.tile(None).holds == ()
    assert seat.progress == {}


def test_a_hold_given_up_loses_its_ring(seat: Seat) -> None:
    seat.apply(
        [event(ReactionStage.PROGRESS, progress=0.4), event(ReactionStage.PROGRESS, progress=0.0)]
    )
    assert seat.tile(None).holds == ()


def test_a_label_that_is_events_only_draws_nothing(seat: Seat) -> None:
    seat.apply([event(ReactionStage.PROGRESS, "face", 0.5), event(ReactionStage.STARTED, "face")])
    assert not seat.tile(None).stickers
    assert not seat.tile(None).holds


def test_a_sticker_follows_its_label(seat: Seat) -> None:
    seat.apply([event(ReactionStage.STARTED)])
    seat.see(detection(LabelScore("thumbs_up", 0.8, THERE)))
    assert seat.tile(None).stickers[0].anchor == THERE


def test_a_sticker_does_not_follow_a_faint_sighting(seat: Seat) -> None:
    seat.apply([event(ReactionStage.STARTED)])
    seat.see(detection(LabelScore("thumbs_up", 0.2, THERE)))
    assert seat.tile(None).stickers[0].anchor == HERE


def test_forgetting_takes_off_everything(seat: Seat) -> None:
    seat.see(detection())
    seat.apply([event(ReactionStage.STARTED), event(ReactionStage.PROGRESS, "thumbs_up", 0.5)])
    seat.forget()
    tile = seat.tile(None)
    assert not tile.stickers
    assert not tile.holds
    assert seat.memory is None
    assert seat.progress == {}
