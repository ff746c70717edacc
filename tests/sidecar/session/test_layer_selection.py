from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.base import ReceiverConstraints
from sidecar.session.layer_selection import MODELS, SMALL_TILE_FPS, select_layers

CANVAS = (1280, 720)


def asked(count: int, turn: int = 0, **others: object) -> dict[str, ReceiverConstraints]:
    people = [f"p{number}" for number in range(count)]
    return select_layers(people, CANVAS, fps=25, rate=5, attention=16, turn=turn, **others)  # type: ignore[arg-type]


def test_alone_a_camera_fills_the_canvas() -> None:
    assert asked(1) == {"p0": ReceiverConstraints(1280, 720, fps=25)}


def test_of_many_each_is_wanted_as_large_as_its_tile() -> None:
    (want,) = set(asked(4).values())
    assert 0 < 640 - want.width < 32
    assert 0 < 360 - want.height < 18
    assert want.fps == 25


def test_the_models_need_a_picture_larger_than_a_small_tile() -> None:
    (want,) = set(asked(16).values())
    assert (want.width, want.height) == MODELS
    assert want.fps == SMALL_TILE_FPS


def test_the_spotlight_is_wanted_larger_than_the_others() -> None:
    selected = asked(5, spotlight="p3")
    assert selected["p3"].height > 2 * selected["p0"].height


def test_beyond_the_tiles_a_camera_is_wanted_for_the_models_alone() -> None:
    people = [f"p{number}" for number in range(50)]
    selected = select_layers(people, CANVAS, fps=25, rate=5, attention=50)
    assert selected["p49"] == ReceiverConstraints(*MODELS, fps=5)


def test_in_a_large_room_some_rest() -> None:
    assert sum(not want.paused for want in asked(40).values()) == 16


def test_busy_or_spotlit_cameras_are_not_paused() -> None:
    selected = asked(40, spotlight="p39", busy={"p38"})
    assert not selected["p39"].paused
    assert not selected["p38"].paused


@given(st.integers(17, 120))
def test_every_camera_has_a_turn(count: int) -> None:
    turns = range(-(-count // 16))
    seen = {who for turn in turns for who, want in asked(count, turn).items() if not want.paused}
    assert len(seen) == count


def test_an_empty_room_has_no_constraints() -> None:
    assert asked(0) == {}
