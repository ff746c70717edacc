"""Values of what a server keeps, as the API takes and returns them: stickers, reaction tables,
bundles, snapshots.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from config.reaction_rule import ReactionRule
from sidecar.supervisor.values import NUMBER, Label, Value

MAX_ROWS = 128
"""Of one reaction table's changes."""


class StickerView(Value):
    """A sticker that was uploaded."""

    name: str
    kind: Literal["GIF", "WEBP", "PNG"]
    """By its content; an APNG is a PNG."""
    width: int
    """Pixels."""
    height: int
    frames: int
    bytes: int


class StickerList(Value):
    """Stickers by name."""

    own: tuple[str, ...]
    """Our own, which every server has."""
    effects: tuple[str, ...]
    """Those of our own that fill a whole tile."""
    uploaded: tuple[StickerView, ...]


StickerName: TypeAlias = Annotated[str, Field(min_length=1, max_length=128)]
Score: TypeAlias = Annotated[float, Field(ge=0, le=1, strict=True)]


class ReactionRow(Value):
    """Changes of one label's row of the reaction table; what is not given stays."""

    kind: Literal["sticker", "event", "off"] | None = None
    sticker: StickerName | None = None
    """One of our own by its bare name, or an uploaded file's name."""
    effect: Annotated[str, Field(max_length=128)] | None = None
    """Fills the tile as well; an empty text plays none."""
    threshold: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None
    """A sample counts as evidence at this score and above."""
    release: Score | None = None
    """A running reaction ends when the score stays below this."""
    hold: Annotated[float, Field(ge=0, le=10, strict=True)] | None = None
    """Seconds."""
    cooldown: Annotated[float, Field(ge=0, le=600, strict=True)] | None = None
    """Seconds."""
    duration: Annotated[float, Field(gt=0, le=60, strict=True)] | None = None
    """Seconds."""
    crowd: Annotated[str, Field(max_length=128)] | None = None
    """A full-frame effect once enough people show the label; empty for none."""
    crowd_share: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None
    """Of the participants with a camera and consent."""
    crowd_people: Annotated[int, Field(ge=2, le=1000), NUMBER] | None = None
    crowd_cooldown: Annotated[float, Field(ge=0, le=3600, strict=True)] | None = None
    """Seconds."""
    outranks: Annotated[tuple[Label, ...], Field(max_length=128)] | None = None


class ReactionRows(Value):
    """Rows of the reaction table by label; null undoes the changes of a row."""

    rows: Annotated[
        dict[Label, ReactionRow | None],
        Field(max_length=MAX_ROWS, json_schema_extra={"additionalProperties": False}),
    ]

    def plain(self, *, with_empty: bool = False) -> dict[str, dict[str, Any]]:
        """The keys that are given, by label; rows without any are left out unless asked for."""
        given = {
            label: {} if row is None else row.model_dump(mode="json", exclude_none=True)
            for label, row in self.rows.items()
        }
        return {label: row for label, row in given.items() if row or with_empty}


class ReactionTableView(Value):
    """A reaction table."""

    table: dict[str, ReactionRule]
    """Every label's row as it counts."""
    rows: dict[str, ReactionRow]
    """What was changed by the API."""
    base: dict[str, ReactionRule]
    """Every label's row without these changes."""


class LabelView(Value):
    """One label of the vocabulary."""

    label: str
    title: str
    how: str
    """How to make it."""
    group: str
    """What it is made with, for people to read; labels come in the order of groups."""
    pose: str | None
    """The path of a picture that shows how; it needs no token."""
    scored: bool
    """False: no table has it on; one that turns it on makes the workers load what it needs."""


class BundleView(Value):
    """A bundle of models."""

    name: str
    created: str = ""
    description: str = ""
    thresholds: dict[str, float] = Field(default={})
    """Scores from which labels count, where the reaction table says nothing else."""
    error: str | None = None
    """Why it can't be used."""


class ActiveModels(Value):
    """Which bundle is used."""

    active: str
    previous: str | None
    """The one that was used before; None where there is none."""


class ModelList(ActiveModels):
    """All bundles of the server."""

    bundles: tuple[BundleView, ...]


class SnapshotView(Value):
    """A picture of one participant."""

    participant: str
    name: str
    width: int
    """Pixels."""
    height: int
    jpeg: str | None = None
    """In base64; None where it was written to a file."""
    file: str | None = None
    """On the server."""


class SnapshotSet(Value):
    """Pictures of the participants of one room who have not opted out."""

    room: str
    taken: datetime
    note: str
    """What the pictures may be used for."""
    delete_after: datetime | None
    """When the server deletes the files; None where it keeps none."""
    pictures: tuple[SnapshotView, ...]
