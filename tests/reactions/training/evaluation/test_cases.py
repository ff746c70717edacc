from reactions.training.evaluation.cases import MANNEQUINS, Case, CaseKind, all_cases
from reactions.training.evaluation.conditions import ROBUSTNESS, Condition
from reactions.training.photos import Photo

INDEX = [
    *[Photo("one", "fist", f"{i}.jpg", "image") for i in range(20)],
    Photo("one", "negative", "n.jpg", "image"),
    Photo("one", "no_label_of_ours", "u.jpg", "image"),
    Photo("one", "mixed", "m.jpg", "image"),
    Photo("one", "mixed", "m.mp4", "video"),
    Photo("one", "mixed", "m.npz", "landmarks"),
]


def photos(condition: Condition) -> list[Case]:
    return [
        case
        for case in all_cases(INDEX, conditions=[condition])
        if case.kind is not CaseKind.MANNEQUIN
    ]


def test_photos_of_labels_and_of_nothing_and_all_clips_are_looked_at() -> None:
    files = {case.file for case in photos(Condition.PLAIN)}
    assert {"0.jpg", "19.jpg", "n.jpg", "m.mp4"} <= files
    assert not files & {"u.jpg", "m.jpg", "m.npz"}


def test_some_hands_of_each_label_are_near_ones() -> None:
    near = photos(Condition.NEAR)
    assert 0 < len(near) < 20
    assert {case.name for case in near} == {"fist"}


def test_each_condition_has_the_same_photos() -> None:
    files = [{case.file for case in photos(each)} for each in ROBUSTNESS]
    assert files[0]
    assert all(each == files[0] for each in files)


def test_mannequins_of_ten_tones_show_each_label() -> None:
    tones = {
        case.tone for case in all_cases([]) if case.source == MANNEQUINS and case.name == "victory"
    }
    assert tones == set(range(10))


def test_a_sample_is_drawn_evenly_and_is_the_same_again() -> None:
    some = all_cases(INDEX, sample=30)
    assert len(some) == 30
    assert some == all_cases(INDEX, sample=30)
    assert len({case.source for case in some}) == 2
