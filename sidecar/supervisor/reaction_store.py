"""Stickers and reaction tables that clients change, of the server and of each room, on disk.

``FOLDER/stickers`` and ``FOLDER/reactions.json`` are the server's, the same under
``FOLDER/rooms/ROOM`` a room's. A room's rows are laid over the server's, and those over the table
that the server was started with. All methods block: they are for a thread.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.errors import (
    ConfigError,
    JournalError,
    ModelError,
    NotFoundError,
    PictureError,
    RefusedError,
    StickerError,
)
from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import ReactionTable, with_rows
from gifs.catalogue import STICKERS, find_sticker, own_file
from gifs.probe import ImageInfo, probe
from reactions.bundle import ModelBundle
from reactions.labels import LABELS, LabelSpec, by_groups
from sidecar.media.new_file import new_file
from sidecar.supervisor.bundle_rows import NO_ROWS, Rows, TaughtRows, fitted_rows, with_bundle
from sidecar.supervisor.server_values import MAX_ROWS, ReactionRow, ReactionRows, ReactionTableView
from sidecar.supervisor.sticker_folder import LIMITS, StickerFolder

WHERE: Final = "rows"
_ROOM: Final = r"^[A-Za-z0-9-]{1,64}$"


@dataclass(frozen=True, slots=True)
class TableChange:
    """Changed rows that were checked, and are not kept yet."""

    rows: Rows
    room: str | None
    """None for the server's."""
    labels: frozenset[str]
    """Labels of the vocabulary that these rows leave on: they must be scored."""


class ReactionStore:
    """What clients changed; ``table`` is the server's, ``folders`` hold the operator's stickers."""

    def __init__(
        self,
        folder: Path,
        table: ReactionTable,
        folders: Sequence[Path] = (),
        taught: TaughtRows = NO_ROWS,
    ) -> None:
        """``taught`` are the operator's rows of labels that only some bundles have."""
        self._folder = folder
        self._taught_rows = taught
        self._given = dict(table)
        self._table = self._given
        self._folders = tuple(folders)
        self._specs = tuple(by_groups())
        self._read: dict[str | None, Rows] = {}
        """Rows that were read, by room; None for the server's."""

    def use_bundle(self, bundle: ModelBundle) -> None:
        """Take a bundle's thresholds for labels whose threshold the operator did not set, and its
        taught labels; those of another bundle go. ``keep_stickers`` comes first.

        Raises ConfigError for an operator's row that does not fit a label of the bundle.
        """
        self._table = with_bundle(self._given, bundle, self._taught_rows)
        self._specs = (*by_groups(), *(label.spec() for label in bundle.labels))

    @property
    def specs(self) -> Sequence[LabelSpec]:
        """The labels of the server, by groups; taught ones come last."""
        return self._specs

    @property
    def labels(self) -> frozenset[str]:
        """The names of all labels."""
        return frozenset(self._table)

    def keep_stickers(self, bundle: ModelBundle) -> None:
        """Copy the stickers of a bundle's taught labels to where rooms find them.

        Raises JournalError where one can't be kept.
        """
        for name, file in bundle.stickers.items():
            target = self._taught / name
            try:
                content = file.read_bytes()
                if target.is_file() and target.read_bytes() == content:
                    continue
                self._taught.mkdir(parents=True, exist_ok=True, mode=0o700)
                with new_file(target) as partial:
                    partial.write_bytes(content)
            except (OSError, PictureError) as error:
                what = f"the sticker of a taught label can't be kept: {error}"
                raise JournalError(what, where=name, do="free disk space") from error

    def check_stickers(self, bundle: ModelBundle) -> None:
        """Raise ModelError for a label of ``bundle`` whose sticker is neither a file of the bundle,
        one of ours nor the operator's: rooms would play nothing."""
        for label in bundle.labels:
            name = label.sticker
            if name is None or name in bundle.stickers:
                continue
            try:
                find_sticker(name, self.folders())
            except StickerError as error:
                do = f"make the bundle with its file, or with one of {', '.join(STICKERS)}"
                where = f"bundle {bundle.name}: {label.name}.sticker"
                raise ModelError(f"there is no sticker {name}", where=where, do=do) from error

    @property
    def _taught(self) -> Path:
        """Where stickers of taught labels are, whichever bundle they are from."""
        return self._folder / "taught-stickers"

    def stickers(self, room: str | None = None) -> StickerFolder:
        """The uploaded stickers of the server, or of ``room``."""
        return StickerFolder(self._of(room) / "stickers")

    def folders(self, room: str | None = None) -> Sequence[Path]:
        """Where stickers are looked for, in this order: a bundle's hide none of the operator's."""
        own = () if room is None else (self.stickers(room).path,)
        return (*own, self.stickers().path, *self._folders, self._taught)

    def table(self, room: str | None = None) -> Mapping[str, ReactionRule]:
        """The reaction table of the server, or of ``room``; raises ConfigError."""
        table = with_rows(self._table, self._fitted(None, self._table), self._place(None))
        if room is None:
            return table
        return with_rows(table, self._fitted(room, table), self._place(room))

    def view(self, room: str | None = None) -> ReactionTableView:
        """The table and what was changed of it."""
        base = self._base(room)
        return ReactionTableView(
            table=dict(self.table(room)),
            rows={label: ReactionRow(**row) for label, row in self._fitted(room, base).items()},
            base=dict(base),
        )

    def replaced(self, rows: ReactionRows, room: str | None = None) -> TableChange:
        """``rows`` as all that is changed; raises ConfigError naming the row.

        Rows of taught labels that are gone stay, for when their bundle is used again.
        """
        base = self._base(room)
        kept = {label: row for label, row in self._rows(room).items() if label not in base}
        return self._checked(rows.plain(), kept, room)

    def changed(self, rows: ReactionRows, room: str | None = None) -> TableChange:
        """``rows`` over those that are kept, key by key; a row that is null is as it was before
        all changes. Raises as ``replaced`` does."""
        given = rows.plain(with_empty=True)
        kept = {label: row for label, row in self._rows(room).items() if label not in given}
        before = self._fitted(room, self._base(room))
        changed = {label: {**before.get(label, {}), **row} for label, row in given.items() if row}
        return self._checked(changed, kept, room)

    def keep(self, change: TableChange) -> ReactionTableView:
        """Keep a change on disk; raises JournalError."""
        target = self._of(change.room) / "reactions.json"
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with new_file(target) as partial:
                partial.write_text(json.dumps({"rows": change.rows}, indent=1))
        except (OSError, PictureError) as error:
            what = f"the reaction table can't be written: {error}"
            raise JournalError(what, where=str(target), do="free disk space") from error
        self._read[change.room] = change.rows
        return self.view(change.room)

    def turned_on(self, room: str | None = None) -> frozenset[str]:
        """Labels of the vocabulary that are on in the table of the server, or of ``room``.

        Taught labels are scored wherever their bundle is in use. Raises ConfigError.
        """
        rules = self.table(room).items()
        return frozenset(
            label for label, rule in rules if label in LABELS and rule.kind is not Kind.OFF
        )

    def picture(self, name: str, room: str | None = None) -> tuple[bytes, ImageInfo]:
        """The file that ``name`` means in a row: one of ours, an upload, the operator's own, or
        that of a taught label.

        Raises NotFoundError.
        """
        data = self._uploaded(name, room)
        try:
            if data is None:
                folders = () if own_file(name) else (*self._folders, self._taught)
                data = find_sticker(name, folders).read_bytes()[: LIMITS.file_bytes + 1]
            return data, probe(data, max_frames=LIMITS.frames)
        except (StickerError, OSError, ValueError):
            raise NotFoundError("there is no such sticker", where=name) from None

    def _uploaded(self, name: str, room: str | None) -> bytes | None:
        if own_file(name) is not None:
            return None
        for folder in [self.stickers(room), self.stickers()]:
            with suppress(NotFoundError):
                return folder.read(name)
        return None

    def remove_sticker(self, name: str, room: str | None = None) -> None:
        """Delete an upload; raises NotFoundError, and RefusedError for one that a row plays."""
        stickers = self.stickers(room)
        stickers.read(name)
        for label, rule in self.table(room).items():
            if name in {rule.sticker, rule.effect, rule.crowd}:
                raise RefusedError(f"{label} plays it", where=name, do="change that row first")
        stickers.remove(name)

    def forget(self, room: str) -> None:
        """Delete all that belongs to a room that is over."""
        self._read.pop(room, None)
        shutil.rmtree(self._of(room), ignore_errors=True)

    def _checked(self, rows: Rows, kept: Rows, room: str | None) -> TableChange:
        """The change to ``rows`` beside those that are ``kept`` as they are."""
        base = self._base(room)
        table = with_rows(base, rows, WHERE)
        self._check_stickers(table, base, rows, room)
        table = with_rows(table, fitted_rows(kept, base), WHERE)
        known = (kept.keys() | rows.keys()) & LABELS.keys()
        on = frozenset(label for label in known if table[label].kind is not Kind.OFF)
        gone = [label for label in kept if label not in base]
        dropped = set(gone[: max(0, len(kept) + len(rows) - MAX_ROWS)])
        left = {label: row for label, row in kept.items() if label not in dropped}
        return TableChange({**left, **rows}, room, on)

    def _check_stickers(
        self, table: ReactionTable, under: ReactionTable, rows: Rows, room: str | None
    ) -> None:
        """Raise ConfigError for a sticker that is not there."""
        for label in rows:
            rule, before = table[label], under[label]
            played = (("sticker", rule.sticker), ("effect", rule.effect), ("crowd", rule.crowd))
            for key, name in played:
                if not name or name in {before.sticker, before.effect, before.crowd}:
                    continue
                try:
                    find_sticker(name, self.folders(room))
                except StickerError as error:
                    what, do = "there is no such sticker", "GET /v1/stickers lists all"
                    raise ConfigError(what, where=f"{WHERE}: {label}.{key}", do=do) from error

    def _base(self, room: str | None) -> ReactionTable:
        """The table under the rows of the server, or of ``room``."""
        return self._table if room is None else self.table()

    def _fitted(self, room: str | None, base: ReactionTable) -> Rows:
        return fitted_rows(self._rows(room), base)

    def _rows(self, room: str | None) -> Rows:
        if room not in self._read:
            self._read[room] = self._load(room)
        return self._read[room]

    def _load(self, room: str | None) -> Rows:
        file = self._of(room) / "reactions.json"
        try:
            rows = ReactionRows.model_validate_json(file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            what = f"is no reaction table: {str(error).splitlines()[0]}"
            raise ConfigError(what, where=str(file), do="mend or remove it") from error
        return rows.plain()

    def _of(self, room: str | None) -> Path:
        if room is None:
            return self._folder
        if re.match(_ROOM, room) is None:
            raise ConfigError("is not the id of a room", where=repr(room[:80]))
        return self._folder / "rooms" / room

    def _place(self, room: str | None) -> str:
        return str(self._of(room) / "reactions.json")


def table_of_server(
    folder: Path, table: ReactionTable, taught: TaughtRows, bundle: ModelBundle
) -> ReactionTable:
    """The table of a server that uses ``bundle`` and keeps its clients' changes in ``folder``.

    Raises ConfigError as a server does at its start.
    """
    store = ReactionStore(folder, table, taught=taught)
    store.use_bundle(bundle)
    return store.table()
