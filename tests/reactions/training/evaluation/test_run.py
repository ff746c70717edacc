from collections import Counter

from reactions.training.evaluation.cases import Case, CaseKind
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.run import balanced


def photo(number: int, name: str, condition: Condition = Condition.PLAIN) -> Case:
    return Case("one", name, CaseKind.PHOTO, f"{name}{number}.jpg", condition)


def test_a_beginning_holds_as_many_of_each_label_as_there_are() -> None:
    cases = [photo(i, "fist") for i in range(90)] + [photo(i, "rock") for i in range(3)]
    order = balanced(cases)
    assert sorted(order, key=lambda case: case.file) == sorted(cases, key=lambda case: case.file)
    assert Counter(case.name for case in order[:6]) == {"fist": 3, "rock": 3}


def test_a_photo_is_seen_under_all_of_its_conditions_first() -> None:
    cases = [photo(i, "fist") for i in range(90)]
    cases += [photo(i, "fist", each) for i in (3, 7) for each in (Condition.DARK, Condition.GREY)]
    first = balanced(cases)[:6]
    assert {case.file for case in first} == {"fist3.jpg", "fist7.jpg"}
    assert len({case.file for case in first[:3]}) == 1
