"""What a composite shows at one moment, as plain values that a session hands to the compositor."""

from dataclasses import dataclass

import av

from reactions.geometry import Box


@dataclass(frozen=True, slots=True)
class StickerMark:
    """A running reaction: a sticker that follows ``anchor``, and perhaps a full-tile effect."""

    sticker: str
    since: float
    """When it began, on the composite's clock."""
    anchor: Box
    """The hand, face or body it came from, in fractions of the source picture."""
    effect: str | None = None
    person: int = 0
    """Which of the people in the tile."""


@dataclass(frozen=True, slots=True)
class FrameEffect:
    """An effect over the whole composite, which plays once."""

    name: str
    since: float
    """When it began, on the composite's clock; tells one effect from the next. In the future: it is
    made ready."""


@dataclass(frozen=True, slots=True)
class HoldMark:
    """A reaction that is building up: a ring around ``anchor``, filled to ``progress`` (0–1)."""

    anchor: Box
    progress: float
    sticker: str | None = None
    """What will be shown once the ring is full, so that it can be made ready meanwhile."""


@dataclass(frozen=True, slots=True, eq=False)
class TileView:
    """One participant as the composite shows them; ``frame`` None draws the name alone."""

    participant: str
    name: str
    frame: av.VideoFrame | None
    stale: bool = False
    """The picture is old: it is shown dimmed."""
    pinned: bool = False
    """This participant gets the large tile."""
    stickers: tuple[StickerMark, ...] = ()
    holds: tuple[HoldMark, ...] = ()
    face: Box | None = None
    """Where their face is, in fractions of the source picture; stickers keep clear of it."""
    other_faces: tuple[Box, ...] = ()
    """Those of further people in the picture; stickers keep clear of them too."""
