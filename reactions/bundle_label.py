"""What the labels that a bundle brings have in common: their names, and what they do."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import ReactionTable
from reactions.gestures.hand_classes import NONE
from reactions.labels import LABELS, LabelSpec

LABEL_NAME: Final = r"^[a-z]+(_[a-z]+)*$"
BUNDLE_FILE: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""The name of a file of a bundle: it never leads out of its folder."""


class BundleLabel(BaseModel):
    """A label that a bundle brings, and its row of the reaction table.

    It is taught (``reactions.taught_labels``), or an object (``reactions.detected_labels``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    release: ClassVar[float]
    """The score at which it ends; its threshold where that is lower."""

    name: Annotated[str, Field(pattern=LABEL_NAME, max_length=40)]
    title: Annotated[str, Field(max_length=60)] = ""
    how: Annotated[str, Field(min_length=1, max_length=200)]
    threshold: Annotated[float, Field(gt=0, le=1)]
    kind: Kind = Kind.EVENT
    sticker: Annotated[str, Field(pattern=BUNDLE_FILE, max_length=100)] | None = None
    """A sticker of ours, whose name has no point, or a file of the bundle."""
    hold: Annotated[float, Field(ge=0, le=10)] = 1.0
    cooldown: Annotated[float, Field(ge=0, le=600)] = 5.0

    @model_validator(mode="after")
    def _no_other_label(self) -> "BundleLabel":
        if self.name in LABELS or self.name == NONE:
            raise ValueError(f"{self.name} is a label of the vocabulary")
        if self.kind is Kind.STICKER and not self.sticker:
            raise ValueError(f"{self.name} has no sticker")
        return self

    @abstractmethod
    def spec(self) -> LabelSpec:
        """The label as one of the vocabulary."""

    def rule(self) -> ReactionRule:
        """Its row of the reaction table."""
        return ReactionRule(
            kind=self.kind,
            sticker=self.sticker,
            threshold=self.threshold,
            release=min(self.release, self.threshold),
            hold=self.hold,
            cooldown=self.cooldown,
        )


def with_bundle_labels(
    table: ReactionTable, labels: Sequence[BundleLabel]
) -> dict[str, ReactionRule]:
    """``table`` with the rows of a bundle's ``labels`` after its own."""
    return {**table, **{label.name: label.rule() for label in labels}}
