"""All of our stickers by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gifs.art.cheers import CHEERS
from gifs.art.faces import FACES
from gifs.art.fingers import FINGERS
from gifs.art.palms import PALMS
from gifs.art.svg_layers import Sticker
from gifs.art.things import THINGS

DRAWINGS: Final[Mapping[str, Sticker]] = MappingProxyType(
    {**FINGERS, **PALMS, **FACES, **CHEERS, **THINGS}
)
