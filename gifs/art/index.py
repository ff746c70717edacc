"""All of our stickers by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gifs.art.faces import FACES
from gifs.art.hand_stickers import HAND_STICKERS
from gifs.art.objects import OBJECTS
from gifs.art.postures import POSTURES
from gifs.art.signs import SIGNS
from gifs.art.svg_layers import Sticker

DRAWINGS: Final[Mapping[str, Sticker]] = MappingProxyType(
    {**HAND_STICKERS, **SIGNS, **POSTURES, **FACES, **OBJECTS}
)
