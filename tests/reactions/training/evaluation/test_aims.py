from reactions.training.evaluation.aims import Aim, aims
from reactions.training.evaluation.cases import MANNEQUINS, CaseKind
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.intervals import Share
from reactions.training.evaluation.verdicts import CaseVerdict
from tests.reactions.training.evaluation.judged import verdict


def by_name(*verdicts: CaseVerdict) -> dict[str, Aim]:
    return {aim.name: aim for aim in aims(verdicts)}


def test_each_source_has_a_line_and_what_was_trained_on_says_so() -> None:
    found = by_name(
        verdict("fist", "fist", source="one"), verdict("fist", "fist", source="subhi_hands")
    )
    assert list(found) == [
        "photos of people not trained on, all sources",
        "photos of one",
        "photos of subhi_hands (the classifier was trained on them)",
    ]


def test_a_line_that_the_stream_alone_misses_is_missed_and_comes_first() -> None:
    lines = aims([verdict("fist", "fist"), verdict("fist", "fist", started={}, source="two")])
    assert [(aim.name, aim.missed) for aim in lines] == [
        ("photos of people not trained on, all sources", True),
        ("photos of two", True),
        ("photos of one", False),
    ]


def test_sources_that_were_trained_on_are_left_out_of_the_sum() -> None:
    found = by_name(
        verdict("fist", "fist", source="one"),
        verdict("fist", source="two"),
        verdict("fist", "fist", source="subhi_hands"),
    )
    assert found["photos of people not trained on, all sources"].stream == Share(1, 2)


def test_less_is_better_for_look_alikes() -> None:
    alike = by_name(verdict("neg_one", wrong={"fist": 1}), verdict("neg_one"))
    line = alike["look-alikes in photos of people not trained on"]
    assert (line.stream, line.missed) == (Share(1, 2), True)


def test_yawns_that_fire_surprised_are_counted_among_yawns() -> None:
    found = by_name(verdict("yawning", "yawn", wrong={"surprised": 1}), verdict("yawning", "yawn"))
    assert found["yawns that fire surprised"].stream == Share(1, 2)


def test_near_hands_are_those_that_the_still_names() -> None:
    near = Condition.NEAR
    found = by_name(
        verdict("fist", "fist", started={}, condition=near),
        verdict("fist", "fist", condition=near),
        verdict("fist", started={"fist": 1}, condition=near),
    )
    line = found["hands as high as the picture, of those that the still names"]
    assert line.stream == Share(1, 2)
    assert line.still is None


def test_a_clip_of_a_person_who_talks_must_start_nothing() -> None:
    found = by_name(
        verdict("neg_talking_face", kind=CaseKind.CLIP),
        verdict("neg_talking_face", kind=CaseKind.CLIP, wrong={"wave": 1}, file="b.mp4"),
    )
    line = found["clips of people who talk or listen with a reaction"]
    assert (line.stream, line.missed) == (Share(1, 2), True)


def test_an_event_in_a_clip_of_a_person_who_talks_is_no_reaction() -> None:
    seen = {"face": 1, "neutral": 2}
    found = by_name(
        verdict("neg_talking_face", kind=CaseKind.CLIP, started=seen),
        verdict("neg_talking_face", kind=CaseKind.CLIP, started=seen | {"nod": 1}),
    )
    assert found["clips of people who talk or listen with a reaction"].stream == Share(0, 2)
    line = found["clips of people who talk or listen with an event or reaction"]
    assert line.stream == Share(1, 2)


def test_a_label_is_reached_by_97_of_100_mannequins() -> None:
    drawn = [
        verdict("fist", "fist", source=MANNEQUINS, kind=CaseKind.MANNEQUIN, file=""),
        verdict("rock", source=MANNEQUINS, kind=CaseKind.MANNEQUIN, file=""),
    ]
    line = by_name(*drawn)["labels that 97 % of the mannequins of ten tones start"]
    assert line.stream == Share(1, 2)
