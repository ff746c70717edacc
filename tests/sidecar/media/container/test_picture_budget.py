"""The budget of all decoders."""

from sidecar.media.container.picture_budget import SMALL, PictureBudget


class Owner:
    """Stands for a decoder."""


def test_what_is_left_is_what_others_have_not() -> None:
    budget, first, second = PictureBudget(100), Owner(), Owner()
    assert budget.reserve(first, 60)
    assert not budget.reserve(second, 41)
    assert budget.reserve(second, 40)
    assert budget.reserve(first, 30)
    assert budget.taken == 70


def test_a_decoder_that_is_freed_or_refused_gives_back_what_it_had() -> None:
    budget, first, second = PictureBudget(100), Owner(), Owner()
    assert budget.reserve(first, 50)
    assert budget.reserve(second, 50)
    assert not budget.reserve(first, 51)
    assert budget.taken == 50
    del second
    assert budget.taken == 0


def test_a_few_large_cameras_leave_enough_for_the_others() -> None:
    budget = PictureBudget(1 << 30)
    large, small = [Owner() for _ in range(49)], [Owner() for _ in range(20)]
    taken = sum(budget.reserve(one, 192 << 20) for one in large)
    assert taken == 2
    assert all(budget.reserve(one, SMALL) for one in small)
