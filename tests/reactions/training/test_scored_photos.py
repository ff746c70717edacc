import pytest

from reactions.training.photos import Photo
from reactions.training.scored_photos import RELABELLED, is_scored, relabelled


def photo(label: str, source: str = "one", file: str = "a.jpg") -> Photo:
    return Photo(source, label, file, "image")


def test_a_photo_that_shows_something_else_is_scored_on_that() -> None:
    file = next(name for name, label in RELABELLED.items() if label == "thumbs_up")
    assert relabelled(photo("neg_hand_fidget", file=file)).label == "thumbs_up"
    assert relabelled(photo("neg_hand_fidget")).label == "neg_hand_fidget"


@pytest.mark.parametrize(
    ("label", "source", "scored"),
    [
        ("fist", "one", True),
        ("neg_fidget", "one", True),
        ("negative", "one", True),
        ("mixed", "one", False),
        ("a name that we have not", "one", False),
        ("shush", "one", True),
        ("shush", "hagrid_crops", False),
        ("fist", "hagrid_crops", True),
    ],
)
def test_a_photo_is_scored_on_what_it_can_show(label: str, source: str, scored: bool) -> None:
    assert is_scored(photo(label, source)) is scored
