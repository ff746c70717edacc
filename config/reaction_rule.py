"""The reaction table: what each label does once a participant holds it (``reactions.toml``)."""

from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Kind(StrEnum):
    """What a held label leads to."""

    STICKER = "sticker"
    """A sticker plays over the participant, and events are sent."""
    EVENT = "event"
    """Events only; nothing is drawn."""
    OFF = "off"
    """Never scored: a model that only this label needs is not run."""


class LabelDefaults(Protocol):
    """What the table takes from a label of the vocabulary (``reactions.labels.LabelSpec``)."""

    @property
    def threshold(self) -> float:
        """The score, 0–1, from which a sample counts, unless a row says otherwise."""
        ...

    @property
    def moderated(self) -> bool:
        """Whether the label is for moderators alone: events, and nothing drawn."""
        ...


class ReactionRule(BaseModel):
    """One label's row of the reaction table. Times are in seconds, scores in 0–1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = Kind.STICKER
    sticker: str | None = None
    """Name in the catalogue, or a file of the user's sticker folder; needed by kind ``sticker``."""
    effect: str | None = None
    """A full-frame effect (``confetti``, ``hearts``, …) that plays in the tile as well; an empty
    text is none."""
    threshold: float = Field(0.7, gt=0, le=1)
    """A sample counts as evidence at this score and above."""
    release: float = Field(0.5, ge=0, le=1)
    """A running reaction ends when the score stays below this (hysteresis)."""
    hold: float = Field(0.8, ge=0, le=10)
    """How long the label must be held before the reaction starts."""
    cooldown: float = Field(3.0, ge=0, le=600)
    """How long after its end the same participant can't start the same reaction."""
    duration: float = Field(3.0, gt=0, le=60)
    """How long the sticker plays at least."""
    crowd: str | None = None
    """A full-frame effect that plays over the whole composite once enough people show the label;
    labels that name the same one count together. None or empty: no such effect."""
    crowd_share: float = Field(0.5, gt=0, le=1)
    """Of the participants who could show it, so many must."""
    crowd_people: int = Field(3, ge=2, le=1000)
    """And so many at least."""
    crowd_cooldown: float = Field(30.0, ge=0, le=3600)
    """How long after one such effect the next one of the same name can't start."""
    moderated: bool = False
    """The label's own, which no row changes: its kind is ``event`` or ``off``."""
    outranks: tuple[str, ...] = ()
    """Labels of the same hand or face that are not scored while this one is seen."""

    @field_validator("effect")
    @classmethod
    def _no_effect(cls, name: str | None) -> str | None:
        # TOML has no null, so that a row that takes an effect away needs another word for it.
        return name or None
