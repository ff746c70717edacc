"""All of our stickers by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gifs.art.faces import FACES
from gifs.art.hands import HANDS
from gifs.art.scene import Sticker
from gifs.art.things import THINGS

DRAWINGS: Final[Mapping[str, Sticker]] = MappingProxyType({**HANDS, **FACES, **THINGS})
