"""Things that mannequins hold, and things that stand about, drawn by their kind."""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from reactions.mannequin.canvas import RasterCanvas
from reactions.mannequin.cylinders import draw_glass, draw_mug
from reactions.mannequin.loose_things import draw_loose_glasses, draw_round_clutter
from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.skeleton import ArmJoints
from reactions.mannequin.slabs import draw_book, draw_flat_clutter, draw_phone
from reactions.mannequin.things import Thing, ThingFrame, ThingKind

_AWAY, _ABOVE = 5.0, 3.2
"""From the palm's bones to the mug's axis, and the mug's middle above the hand's, cm: held low,
half of it is in sight. A hand around all of it hides it from the detector of mugs."""
_LOOP_WAY = (0.9, -0.4)
"""Which way a mug's handle points: away from the palm, and towards the wrist."""

_Draw: TypeAlias = Callable[[RasterCanvas, Thing, ThingFrame, SceneCamera], None]
_DRAWN: Final[dict[ThingKind, _Draw]] = {
    ThingKind.MUG: draw_mug,
    ThingKind.PHONE: draw_phone,
    ThingKind.GLASS: draw_glass,
    ThingKind.BOOK: draw_book,
    ThingKind.GLASSES: draw_loose_glasses,
    ThingKind.BALL: draw_round_clutter,
    ThingKind.PEN: draw_round_clutter,
    ThingKind.LAMP: draw_round_clutter,
    ThingKind.BOWL: draw_round_clutter,
    ThingKind.PAPER: draw_flat_clutter,
    ThingKind.PARCEL: draw_flat_clutter,
    ThingKind.PICTURE: draw_flat_clutter,
}


def draw_thing(canvas: RasterCanvas, thing: Thing, frame: ThingFrame, camera: SceneCamera) -> None:
    """Draw ``thing`` at ``frame``."""
    _DRAWN[thing.kind](canvas, thing, frame, camera)


def held_frame(thing: Thing, arm: ArmJoints) -> ThingFrame:
    """Where the hand of ``arm`` holds ``thing``."""
    palm = 0.65 * arm.hand[9] + 0.35 * arm.hand[0]
    thumb, fingers, front = arm.axes[:, 0], -arm.axes[:, 1], -arm.axes[:, 2]
    match thing.kind:
        case ThingKind.MUG | ThingKind.GLASS:
            loop = front * _LOOP_WAY[0] - fingers * _LOOP_WAY[1]
            # Not square to each other, as a handle that is held is not.
            axes = np.column_stack([loop, thumb, np.cross(loop, thumb)])
            if thing.kind is ThingKind.GLASS:
                axes = _axes(thumb, front)
            return ThingFrame(palm + _AWAY * front + _ABOVE * thumb, axes)
        case ThingKind.PHONE:
            up = 0.85 * fingers + 0.5 * thumb
            return ThingFrame(palm + 2.2 * front + 3.0 * fingers, _axes(up, front))
        case ThingKind.BOOK:
            up = 0.5 * fingers + 0.87 * thumb
            return ThingFrame(palm + 1.8 * front + 6.5 * fingers + 4.0 * thumb, _axes(up, front))
        case ThingKind.GLASSES:
            up = 0.3 * fingers + thumb
            return ThingFrame(palm + 2.0 * front + 8.0 * fingers, _axes(up, front))
        case _:
            return ThingFrame(palm + 3.5 * front + 2.0 * fingers, _axes(fingers, front))


def _axes(up: Matrix, front: Matrix) -> Matrix:
    """Columns right, up and front, square to each other; ``front`` gives way."""
    up = up / np.linalg.norm(up)
    front = front - up * float(front @ up)
    front = front / max(float(np.linalg.norm(front)), 1e-6)
    return np.column_stack([np.cross(up, front), up, front])
