"""The composite as an operator may see it: participants who opted out are not in the picture."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from PIL import Image

from config.settings import CompositeSettings
from sidecar.media.compositor.compositor import Stickers
from sidecar.media.compositor.tiles import TileView
from sidecar.session.session import Session, make_compositor

QUALITY: Final = 80
"""Of the JPEG, as Pillow counts."""


def without_opted_out(session: Session, now: float) -> Sequence[TileView]:
    """The tiles at ``now``; of participants who opted out nothing but the name."""
    hidden = {one.participant for one in session.stats().participants if one.opted_out}
    return [
        replace(tile, frame=None, stickers=(), holds=(), face=None, other_faces=())
        if tile.participant in hidden
        else tile
        for tile in session.tiles(now)
    ]


async def preview(session: Session, stickers: Stickers, now: float) -> bytes:
    """The composite at ``now`` on the session's clock as JPEG, drawn for this call alone."""
    tiles = without_opted_out(session, now)
    return await asyncio.to_thread(_draw, tiles, session.composite, stickers, now)


def _draw(
    tiles: Sequence[TileView], composite: CompositeSettings, stickers: Stickers, now: float
) -> bytes:
    frame = make_compositor(composite, stickers).draw(tiles, now)
    buffer = io.BytesIO()
    picture = Image.fromarray(np.asarray(frame.to_ndarray(format="rgb24")))
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
