import numpy as np

from reactions.mannequin.object_scenes import draw_object_scene
from reactions.mannequin.render import render_objects
from reactions.mannequin.things import OBJECTS, ThingKind


def drawn(count: int, wanted: tuple[ThingKind, ...] = OBJECTS) -> list[set[str]]:
    found = []
    for number in range(count):
        shown = draw_object_scene(np.random.default_rng([3, number]), wanted)
        picture, seen = render_objects(shown.person, shown.pose, shown.scene, 320, 180)
        assert picture.shape == (180, 320, 3)
        for one in seen:
            assert 0 <= one.left < one.right <= 320
            assert 0 <= one.top < one.bottom <= 180
        found.append({one.name for one in seen})
    return found


def test_all_kinds_are_seen_before_long() -> None:
    assert set().union(*drawn(14)) == {kind.value for kind in OBJECTS}


def test_only_the_wanted_kind_is_seen() -> None:
    kinds = drawn(8, (ThingKind.PHONE,))
    assert set().union(*kinds) == {"phone"}


def test_some_pictures_show_no_object() -> None:
    shown = [draw_object_scene(np.random.default_rng([3, n]), (ThingKind.MUG,)) for n in range(60)]
    bare = [
        one
        for one in shown
        if one.pose.holds is None
        and one.pose.holds_left is None
        and not any(each.thing.kind is ThingKind.MUG for each in one.scene.things)
    ]
    assert bare


def test_the_same_chance_draws_the_same_scene() -> None:
    one, again = (draw_object_scene(np.random.default_rng(7)) for _ in range(2))
    assert one == again
    assert one != draw_object_scene(np.random.default_rng(8))
