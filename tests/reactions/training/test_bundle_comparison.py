import pytest

from reactions.training.bundle_comparison import PictureFires, compare_bundles

KNOWN = frozenset({"fist", "victory", "vulcan", "face"})


def seen(person: str, shown: str, *fired: str) -> PictureFires:
    names = frozenset({shown}) if shown else frozenset()
    return PictureFires(person, names, names, tuple(frozenset(one.split()) for one in fired))


def test_two_bundles_are_compared_person_by_person() -> None:
    pictures = [
        seen("ada", "vulcan", "", "vulcan"),
        seen("ada", "vulcan", "", "vulcan"),
        seen("bob", "vulcan", "", ""),
        seen("bob", "fist", "fist", "fist"),
    ]
    found = compare_bundles(("shipped", "mine"), pictures, KNOWN)
    fist, vulcan = found.recall
    assert [share.hits for share in vulcan.shares] == [0, 2]
    assert vulcan.difference == pytest.approx(0.5)
    assert vulcan.between is not None
    assert vulcan.between.low <= 0.5 <= vulcan.between.high
    assert (fist.label, fist.difference) == ("fist", 0)
    assert (found.pictures, found.people) == (4, 2)


def test_what_fires_and_is_not_shown_is_wrong_but_presence() -> None:
    pictures = [seen("ada", "fist", "fist victory face"), seen("bob", "", "face"),
                seen("cy", "", "vulcan")]  # fmt: skip
    found = compare_bundles(("mine",), pictures, KNOWN)
    assert [share.hits for share in found.wrong.shares] == [2]
    assert found.wrong.difference is None


def test_labels_that_no_bundle_knows_are_named() -> None:
    found = compare_bundles(("mine",), [seen("ada", "dab", "fist")], KNOWN)
    assert (found.recall, found.unknown) == ((), ("dab",))


def test_pictures_of_one_person_leave_open_how_others_differ() -> None:
    pictures = [seen("ada", "fist", "", "fist"), seen("ada", "fist", "fist", "fist")]
    (fist,) = compare_bundles(("shipped", "mine"), pictures, KNOWN).recall
    assert (fist.difference, fist.between) == (0.5, None)
