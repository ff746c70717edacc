"""Which layer of a simulcast camera is the smallest that serves. Pure.

Janus numbers substreams from 0, the smallest; each has twice the width and height of the one
before, as browsers make them. Temporal layers halve the rate from 2 down to 0.
"""

from typing import Final

from sidecar.rooms.base import ReceiverConstraints
from sidecar.rooms.janus.subscription import Layer

LARGEST: Final = 2
CAMERA_FPS: Final = 30.0
"""Of a camera; Janus doesn't tell the real rate."""
NEARLY: Final = 0.75
"""A substream with this share of what is wanted is taken: scaling up so little isn't seen."""


def choose(want: ReceiverConstraints, size: tuple[int, int] | None, substream: int) -> Layer:
    """The layer for ``want``, where ``substream`` has pictures of ``size`` (None: not known yet).

    Before a picture has come the smallest is asked for, since it is the least for everybody.
    """
    temporal = LARGEST
    while temporal and want.fps <= CAMERA_FPS / 2 ** (LARGEST - temporal + 1):
        temporal -= 1
    if size is None:
        return Layer(substream, temporal, send=not want.paused)
    chosen = 0
    while chosen < LARGEST:
        scale = 2.0 ** (chosen - substream)
        if min(size[0] * scale / want.width, size[1] * scale / want.height) >= NEARLY:
            break
        chosen += 1
    return Layer(chosen, temporal, send=not want.paused)
