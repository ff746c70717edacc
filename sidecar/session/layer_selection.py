"""Choose the layer and frame rate that a session asks a room for, camera by camera. Pure.

The cost of a camera follows the frames received, not those sampled (4 % of a core for 640x360@30,
1.3 % for 320x180@15; docs/measured.md), so a room is asked for the smallest layer that serves both
the tile and the models, and in a large room not for all cameras at once.
"""

from collections.abc import Collection, Sequence

from sidecar.media.compositor.layout import MAX_TILES, Rect, arrange
from sidecar.rooms.base import ReceiverConstraints

MODELS = (320, 180)
"""Pixels below which the models begin to lose hands at a desk's distance (docs/landmarks.md)."""
SMALL_TILE_FPS = 15.0
"""Frames a second that are enough for a tile of less than a third of the canvas' height."""
TURN = 4.0
"""Seconds for which a camera is received in a large room before it is another's turn: longer than
any hold, so that a pose can become a reaction within one turn."""


def select_layers(
    people: Sequence[str],
    canvas: tuple[int, int],
    *,
    fps: float,
    rate: float,
    attention: int,
    turn: int = 0,
    spotlight: str | None = None,
    busy: Collection[str] = (),
) -> dict[str, ReceiverConstraints]:
    """The constraints of each of ``people``, who are given in the order of their tiles.

    ``canvas`` is the composite's size, ``fps`` its rate and ``rate`` that of sampling, a second.
    Of more than ``attention`` people only so many are received at a time, taking turns by the
    number ``turn``, besides those that have the ``spotlight`` or are ``busy`` (hold a pose, wear a
    sticker).
    """
    areas = _areas(people, canvas, spotlight)
    awake = _awake(people, attention, turn) | {spotlight, *busy}
    return {
        person: _want(area, canvas, fps, rate, paused=person not in awake)
        for person, area in zip(people, areas, strict=True)
    }


def _areas(
    people: Sequence[str], canvas: tuple[int, int], spotlight: str | None
) -> list[Rect | None]:
    """The tile of each; None for those beyond the largest layout."""
    shown = people[:MAX_TILES]
    if not shown:
        return []
    large = shown.index(spotlight) if spotlight in shown else None
    tiles: list[Rect | None] = [*arrange(len(shown), *canvas, spotlight=large)]
    return tiles + [None] * (len(people) - len(shown))


def _awake(people: Sequence[str], attention: int, turn: int) -> set[str | None]:
    count = len(people)
    if count <= attention:
        return set(people)
    return {people[(turn * attention + place) % count] for place in range(attention)}


def _want(
    area: Rect | None, canvas: tuple[int, int], fps: float, rate: float, *, paused: bool
) -> ReceiverConstraints:
    if area is None:
        return ReceiverConstraints(*MODELS, fps=rate, paused=paused)
    small = area.height * 3 < canvas[1]
    return ReceiverConstraints(
        max(area.width, MODELS[0]),
        max(area.height, MODELS[1]),
        fps=max(rate, min(fps, SMALL_TILE_FPS) if small else fps),
        paused=paused,
    )
