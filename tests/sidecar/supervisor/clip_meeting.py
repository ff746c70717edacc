"""A meeting that every process of this machine can join: a folder with a clip in it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from sidecar.media.container.writer import VideoWriter
from sidecar.supervisor.control import Begin, plain_settings
from sidecar.supervisor.values import RoomRequest

SECRET = "tell-no-one"
"""Of the meeting and of a TURN server: it must appear nowhere."""


def grey_clip(path: Path, seconds: float) -> Path:
    """A video of one grey."""
    picture = np.full((36, 64, 3), 120, np.uint8)
    with VideoWriter(path, Fraction(5), None) as writer:
        for number in range(round(seconds * 5)):
            writer.write(av.VideoFrame.from_ndarray(picture, format="rgb24"), number / 5)
    return path


def clip_begin(meeting: Path, room: str = "r-1", **fields: object) -> Begin:
    """The first message of a room that joins ``meeting``, published nowhere."""
    settings = Settings(
        composite={"width": 320, "height": 180, "fps": 5},
        server={"ice_servers": [{"url": "turn:127.0.0.1:1", "credential": SECRET}]},
    )
    table = load_reaction_table(LABELS, environ={})
    wanted = {"publish": ("none",), "labels": ("thumbs_up",), **fields}
    return Begin(
        room=room,
        request=RoomRequest.model_validate({"url": str(meeting), **wanted}),
        secrets={"TOKEN": SECRET},
        settings=plain_settings(settings),
        table={label: rule.model_dump(mode="json") for label, rule in table.items()},
    )
