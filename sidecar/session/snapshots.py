"""Still pictures of the participants of a room who have not opted out, one a camera."""

import asyncio
import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from PIL import Image

from sidecar.session.session import Session

LONGEST: Final = 640
"""Pixels of a side: as large as a sample, which is what models are trained with."""
QUALITY: Final = 90
"""Of the JPEG, as Pillow counts."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest picture of one participant."""

    participant: str
    name: str
    width: int
    height: int
    jpeg: str
    """In base64."""


async def snapshots(session: Session, now: float) -> Sequence[Snapshot]:
    """The newest picture of each participant at ``now`` on the session's clock.

    Participants who opted out, and those whose camera has stopped, are left out.
    """
    hidden = {one.participant for one in session.stats().participants if one.opted_out}
    shown = [
        (tile.participant, tile.name, tile.frame)
        for tile in session.tiles(now)
        if tile.participant not in hidden and tile.frame is not None and not tile.stale
    ]
    return await asyncio.to_thread(lambda: [_encoded(*one) for one in shown])


def _encoded(participant: str, name: str, frame: av.VideoFrame) -> Snapshot:
    picture = Image.fromarray(np.asarray(frame.to_ndarray(format="rgb24")))
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    jpeg = base64.b64encode(buffer.getvalue()).decode()
    return Snapshot(participant, name, picture.width, picture.height, jpeg)
