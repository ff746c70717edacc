from pathlib import Path

import pytest

from config.errors import InferenceError, JournalError
from config.reaction_table import load_reaction_table
from reactions.bundle import ModelBundle
from reactions.labels import LABELS
from sidecar.serve.detection import bundle_user
from sidecar.supervisor.reaction_store import ReactionStore
from tests.sidecar.supervisor.test_scored_labels import Workers, scored
from tests.sidecar.supervisor.world import World
from tests.taught import taught_bundle, taught_label

TABLE = load_reaction_table(LABELS, environ={})


class BundleUsers:
    """Workers and tables that a bundle is to be used by."""

    def __init__(self, folder: Path) -> None:
        label = taught_label("vulcan", kind="sticker", sticker="vulcan-1.gif")
        self.bundle = ModelBundle.read(taught_bundle(folder / "taught-1", label))
        self.reactions = ReactionStore(folder, TABLE)
        self.workers = Workers()
        self.changed = 0

    async def use(self) -> None:
        async with World().running() as supervisor:
            labels = scored(self.workers)
            await bundle_user(labels, supervisor, self.reactions, self._count)(self.bundle)

    def _count(self) -> None:
        self.changed += 1


async def test_workers_and_tables_change_together(tmp_path: Path) -> None:
    users = BundleUsers(tmp_path)
    await users.use()
    assert users.workers.used == [("taught-1", frozenset({"wave"}))]
    assert ("vulcan" in users.reactions.table(), users.changed) == (True, 1)
    assert (tmp_path / "taught-stickers" / "vulcan-1.gif").is_file()


async def test_workers_stay_where_a_sticker_can_t_be_kept(tmp_path: Path) -> None:
    users = BundleUsers(tmp_path)
    (tmp_path / "taught-stickers").write_text("a file, no folder")
    with pytest.raises(JournalError, match="can't be kept"):
        await users.use()
    assert users.workers.used == []
    assert ("vulcan" in users.reactions.table(), users.changed) == (False, 0)


async def test_tables_stay_where_the_workers_can_t_change(tmp_path: Path) -> None:
    users = BundleUsers(tmp_path)
    users.workers.failing = True
    with pytest.raises(InferenceError):
        await users.use()
    assert ("vulcan" in users.reactions.table(), users.changed) == (False, 0)
