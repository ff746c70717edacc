"""How a mannequin looks: skin, hair, clothes and face. A small cast comes with the package."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from reactions.mannequin.frames import PLAIN_FRAMES, SpectacleFrames

Colour: TypeAlias = tuple[float, float, float]
"""RGB, 0–255."""

MONK: tuple[Colour, ...] = (
    (246, 237, 228),
    (243, 231, 219),
    (247, 234, 208),
    (234, 218, 186),
    (215, 189, 150),
    (160, 126, 86),
    (130, 92, 67),
    (96, 65, 52),
    (58, 49, 42),
    (41, 36, 32),
)
"""The ten tones of the Monk Skin Tone scale (Monk 2019, published by Google, CC BY 4.0)."""


class Hair(StrEnum):
    """Hair styles."""

    BALD = "bald"
    BUZZ = "buzz"
    SHORT = "short"
    QUIFF = "quiff"
    BOB = "bob"
    LONG = "long"
    BUN = "bun"
    CURLS = "curls"
    AFRO = "afro"
    SCARF = "scarf"
    """A head scarf in place of visible hair."""


class Top(StrEnum):
    """What is worn on the upper body."""

    TEE = "tee"
    SWEATER = "sweater"
    SHIRT = "shirt"
    HOODIE = "hoodie"
    BLAZER = "blazer"
    ROLL_NECK = "roll neck"


@dataclass(frozen=True, slots=True)
class Person:
    """One person's looks."""

    name: str = "Robin"
    skin: Colour = MONK[4]
    hair: Hair = Hair.SHORT
    hair_colour: Colour = (58, 40, 30)
    eyes: Colour = (92, 62, 40)
    top: Top = Top.SWEATER
    cloth: Colour = (64, 112, 168)
    accent: Colour = (240, 236, 228)
    """Collar, print, strings or shirt under a blazer; the scarf of ``Hair.SCARF``."""
    beard: float = 0.0
    """0 none – 0.5 stubble – 1 full."""
    glasses: Colour | None = None
    earrings: Colour | None = None
    lashes: float = 0.5
    """0–1."""
    lips: float = 0.4
    """How much the lips stand out, 0–1."""
    jaw: float = 1.0
    """Width of the jaw against the average."""
    shoulders: float = 1.0
    """Width of the shoulders against the average."""
    short_sleeves: bool = False
    frames: SpectacleFrames = PLAIN_FRAMES
    """Of the glasses."""


CAST: Mapping[str, Person] = MappingProxyType(
    {
        person.name: person
        for person in (
            Person(
                "Amara", MONK[7], Hair.AFRO, (34, 24, 22), (62, 38, 26), Top.SWEATER,
                (226, 164, 52), (250, 240, 220), earrings=(246, 205, 96), lashes=0.9, lips=0.7,
                jaw=0.94, shoulders=0.92,
            ),
            Person(
                "Jonas", MONK[2], Hair.QUIFF, (78, 54, 40), (70, 116, 150), Top.SHIRT,
                (92, 134, 186), (236, 240, 246), beard=0.85, glasses=(52, 44, 42),
                lashes=0.2, lips=0.3, jaw=1.05, shoulders=1.06,
            ),
            Person(
                "Mei", MONK[3], Hair.BOB, (30, 26, 32), (58, 38, 28), Top.ROLL_NECK,
                (178, 142, 206), (240, 230, 245), lashes=0.8, lips=0.65, jaw=0.95,
                shoulders=0.9,
            ),
            Person(
                "Rafael", MONK[5], Hair.CURLS, (44, 30, 24), (84, 54, 30), Top.HOODIE,
                (66, 140, 104), (232, 240, 232), beard=0.35, lashes=0.4, lips=0.6, jaw=1.02,
                shoulders=1.05,
            ),
            Person(
                "Ingrid", MONK[0], Hair.BUN, (222, 184, 112), (86, 130, 120), Top.BLAZER,
                (62, 74, 104), (246, 240, 232), glasses=(176, 82, 74), lashes=0.6, lips=0.6,
                jaw=0.96, shoulders=0.94,
            ),
            Person(
                "Kofi", MONK[9], Hair.BUZZ, (24, 20, 20), (50, 32, 24), Top.TEE,
                (232, 108, 72), (255, 236, 214), lashes=0.3, lips=0.45, jaw=1.04,
                shoulders=1.08, short_sleeves=True,
            ),
            Person(
                "Noor", MONK[4], Hair.SCARF, (46, 32, 26), (96, 66, 38), Top.SWEATER,
                (120, 84, 110), (94, 156, 160), lashes=0.9, lips=0.6, jaw=0.95,
                shoulders=0.92,
            ),
            Person(
                "Priya", MONK[6], Hair.LONG, (34, 24, 24), (66, 42, 28), Top.TEE,
                (42, 132, 140), (250, 232, 200), earrings=(236, 190, 90), lashes=0.9,
                lips=0.7, jaw=0.94, shoulders=0.92,
            ),
        )
    }
)  # fmt: skip
