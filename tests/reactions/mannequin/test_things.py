from dataclasses import replace

import numpy as np
import pytest

from reactions.landmark_types import Side
from reactions.mannequin import CAST, POSES, Pose, Scene, landmarks, render
from reactions.mannequin.frames import SpectacleFrames
from reactions.mannequin.object_trace import ObjectTrace, SeenObject
from reactions.mannequin.render import render_objects
from reactions.mannequin.things import OBJECTS, PlacedThing, TableTop, Thing, ThingKind

MEI = CAST["Mei"]
AT_REST = POSES["neutral"]


def held(thing: Thing) -> Pose:
    return replace(POSES["hand"], holds=thing)


def boxes(pose: Pose = AT_REST, scene: Scene | None = None) -> tuple[SeenObject, ...]:
    return render_objects(MEI, pose, scene or Scene())[1]


def standing(kind: ThingKind, *, near: float = -20.0, look: int = 3) -> Scene:
    return Scene(things=(PlacedThing(Thing(kind, look), (12.0, -8.0, near)),))


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("look", [0, 1, 2])
def test_an_object_in_a_hand_has_a_box_at_the_hand(kind: ThingKind, look: int) -> None:
    pose = held(Thing(kind, look))
    (seen,) = boxes(pose)
    assert seen.name == kind.value
    assert 0 <= seen.left < seen.right <= 640
    assert 0 <= seen.top < seen.bottom <= 360
    x, y = landmarks(MEI, pose, Scene())[Side.RIGHT][9, :2]
    assert seen.left - 60 < x < seen.right + 60
    assert seen.top - 60 < y < seen.bottom + 60


@pytest.mark.parametrize("kind", list(ThingKind))
def test_every_thing_is_drawn(kind: ThingKind) -> None:
    changed = render(MEI, AT_REST, standing(kind)) != render(MEI, AT_REST, Scene())
    assert changed.any(axis=2).sum() > 100


@pytest.mark.parametrize("kind", [kind for kind in ThingKind if kind not in OBJECTS])
def test_clutter_has_no_box(kind: ThingKind) -> None:
    assert boxes(scene=standing(kind)) == ()


def test_the_box_is_around_the_pixels_that_the_object_changes() -> None:
    scene = standing(ThingKind.BOOK, near=-25)
    (seen,) = boxes(scene=scene)
    changed = np.abs(
        render(MEI, AT_REST, scene).astype(int) - render(MEI, AT_REST, Scene()).astype(int)
    )
    rows, columns = np.nonzero(changed.sum(axis=2) > 90)
    # Its shadow lies beside it, some pixels wide.
    assert abs(columns.min() - seen.left) <= 12
    assert abs(columns.max() + 1 - seen.right) <= 12
    assert abs(rows.min() - seen.top) <= 12


def test_an_object_behind_the_person_is_seen_in_part() -> None:
    behind = PlacedThing(Thing(ThingKind.BOOK), (-11.0, -8.0, 25.0))
    (seen,) = boxes(scene=Scene(things=(behind,)))
    assert 0.05 < seen.share < 0.95


def test_a_fully_hidden_object_is_not_seen() -> None:
    assert boxes(scene=Scene(things=(PlacedThing(Thing(ThingKind.MUG), (0, -15, 20)),))) == ()


def test_a_glass_lets_what_is_behind_it_through() -> None:
    red = replace(MEI, cloth=(230, 20, 20))
    blue = replace(MEI, cloth=(20, 20, 230))
    scene = replace(standing(ThingKind.GLASS, look=0), noise=0)
    scene = replace(scene, things=(replace(scene.things[0], place=(0, 8, -16)),))
    (seen,) = render_objects(red, AT_REST, scene)[1]
    window = slice(seen.top + 5, seen.bottom - 5), slice(seen.left + 5, seen.right - 5)
    one, other = (render(who, AT_REST, scene)[window].astype(int) for who in (red, blue))
    assert np.abs(one - other).mean() > 20


def test_looks_of_one_kind_differ_and_stay() -> None:
    first, again = (render(MEI, AT_REST, standing(ThingKind.PHONE, look=1)) for _ in range(2))
    assert (first == again).all()
    assert (first != render(MEI, AT_REST, standing(ThingKind.PHONE, look=2))).any()


def test_worn_glasses_have_a_box_on_the_face() -> None:
    (seen,) = render_objects(CAST["Jonas"], AT_REST, Scene())[1]
    assert seen.name == "glasses"
    assert 250 < (seen.left + seen.right) / 2 < 390


def test_sunglasses_are_darker_than_clear_ones() -> None:
    clear = replace(CAST["Jonas"], skin=(234, 218, 186))
    dark = replace(clear, frames=SpectacleFrames(dark=0.8))
    (seen,) = render_objects(dark, AT_REST, Scene())[1]
    window = slice(seen.top, seen.bottom), slice(seen.left, seen.right)
    one, other = (render(who, AT_REST, Scene())[window].mean() for who in (clear, dark))
    assert other < one - 10


def test_a_table_covers_the_lower_edge() -> None:
    scene = Scene(pitch=10, noise=0)
    table = replace(scene, table=TableTop(6.0, -65.0, -15.0, (10, 240, 10)))
    strip = render(MEI, AT_REST, table)[-20:].reshape(-1, 3).mean(axis=0)
    assert strip[1] > strip[0] + 40


def test_a_random_room_is_the_same_for_the_same_number() -> None:
    one, again, other = (render(MEI, AT_REST, Scene(room=n, noise=0)) for n in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_an_object_covered_later_loses_its_pixels() -> None:
    trace = ObjectTrace(20, 10)
    all_of_it = np.ones((4, 4), np.bool_)
    with trace.of("mug"):
        trace.lay((slice(2, 6), slice(2, 6)), all_of_it, all_of_it)
    trace.lay((slice(2, 6), slice(2, 4)), all_of_it[:, :2], all_of_it[:, :2])
    assert trace.seen() == (SeenObject("mug", 4, 2, 6, 6, 0.5),)


def test_a_mirrored_pose_holds_it_in_the_other_hand() -> None:
    pose = held(Thing(ThingKind.PHONE, 4))
    mirrored = pose.mirrored()
    assert (mirrored.holds, mirrored.holds_left) == (None, pose.holds)
    (right,), (left,) = boxes(pose), boxes(mirrored)
    assert (right.left + right.right) / 2 < 320 < (left.left + left.right) / 2
