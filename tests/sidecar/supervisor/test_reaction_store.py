import json
from dataclasses import replace
from pathlib import Path

import pytest

from config.errors import ConfigError, ModelError, RefusedError
from config.reaction_rule import Kind
from config.reaction_table import load_reaction_table
from gifs.catalogue import find_sticker
from reactions.bundle import SHIPPED_BUNDLE, ModelBundle, write_card
from reactions.labels import LABELS
from sidecar.supervisor.bundle_rows import TaughtRows
from sidecar.supervisor.reaction_store import ReactionStore, table_of_server
from sidecar.supervisor.server_values import MAX_ROWS, ReactionRow, ReactionRows, ReactionTableView
from tests.sidecar.supervisor.test_sticker_folder import picture
from tests.taught import taught_bundle, taught_label

TABLE = load_reaction_table(LABELS, environ={})


@pytest.fixture
def store(tmp_path: Path) -> ReactionStore:
    return ReactionStore(tmp_path, TABLE)


def use(store: ReactionStore, bundle: ModelBundle) -> None:
    store.keep_stickers(bundle)
    store.use_bundle(bundle)


def change(
    store: ReactionStore, changed: ReactionRows, room: str | None = None
) -> ReactionTableView:
    return store.keep(store.changed(changed, room))


def rows(**given: ReactionRow | None) -> ReactionRows:
    return ReactionRows(rows=given)


def test_changes_outlive_the_store(store: ReactionStore, tmp_path: Path) -> None:
    store.keep(store.replaced(rows(wave=ReactionRow(hold=2.0))))
    change(store, rows(wave=ReactionRow(threshold=0.9)), "r-1")
    again = ReactionStore(tmp_path, TABLE)
    assert (again.table()["wave"].hold, again.table()["wave"].threshold) == (2.0, 0.7)
    assert (again.table("r-1")["wave"].hold, again.table("r-1")["wave"].threshold) == (2.0, 0.9)
    assert again.table("r-2")["wave"].threshold == 0.7


def test_put_replaces_and_patch_adds_up(store: ReactionStore) -> None:
    change(store, rows(wave=ReactionRow(hold=2.0)))
    view = change(store, rows(wave=ReactionRow(cooldown=9.0), smile=ReactionRow(kind="off")))
    assert view.rows["wave"] == ReactionRow(hold=2.0, cooldown=9.0)
    assert view.table["smile"].kind is Kind.OFF
    view = change(store, rows(wave=None))
    assert set(view.rows) == {"smile"}
    assert store.keep(store.replaced(rows())).rows == {}


@pytest.mark.parametrize(
    ("label", "row", "where"),
    [
        ("no_such", ReactionRow(hold=1.0), "rows: no_such: unknown label"),
        ("wave", ReactionRow(threshold=0.4, release=0.9), r"rows: wave\.release"),
        ("wave", ReactionRow(sticker="none.gif"), r"rows: wave\.sticker"),
        ("wave", ReactionRow(outranks=("x",)), r"rows: wave\.outranks"),
    ],
)
def test_what_is_wrong_names_its_row_and_changes_nothing(
    store: ReactionStore, label: str, row: ReactionRow, where: str
) -> None:
    with pytest.raises(ConfigError, match=where):
        change(store, rows(**{label: row}))
    assert store.view().rows == {}


def test_a_change_names_the_labels_that_it_leaves_on(tmp_path: Path) -> None:
    off = TABLE["wave"].model_copy(update={"kind": Kind.OFF})
    store = ReactionStore(tmp_path, dict(TABLE) | {"wave": off})
    assert "wave" not in store.turned_on()
    changed = store.changed(
        rows(wave=ReactionRow(kind="event"), smile=ReactionRow(kind="off")), "r-1"
    )
    assert changed.labels == {"wave"}
    assert "wave" not in store.turned_on("r-1")
    store.keep(changed)
    assert "wave" in store.turned_on("r-1")
    assert "wave" not in store.turned_on()


def test_a_sticker_that_a_row_plays_can_t_be_deleted(store: ReactionStore) -> None:
    store.stickers("r-1").add("party.gif", picture("GIF"))
    change(store, rows(wave=ReactionRow(sticker="party.gif")), "r-1")
    with pytest.raises(ConfigError, match="no such sticker"):
        change(store, rows(wave=ReactionRow(sticker="party.gif")))
    with pytest.raises(RefusedError, match="wave plays it"):
        store.remove_sticker("party.gif", "r-1")
    change(store, rows(wave=None), "r-1")
    store.remove_sticker("party.gif", "r-1")
    assert list(store.stickers("r-1").list()) == []


def test_what_belongs_to_a_room_goes_with_it(store: ReactionStore, tmp_path: Path) -> None:
    change(store, rows(wave=ReactionRow(hold=2.0)), "r-1")
    store.forget("r-1")
    assert store.view("r-1").rows == {}
    assert not (tmp_path / "rooms" / "r-1").exists()


def test_a_damaged_file_is_one_line(store: ReactionStore, tmp_path: Path) -> None:
    (tmp_path / "reactions.json").write_text("{")
    with pytest.raises(ConfigError, match="is no reaction table"):
        store.table()


def test_taught_labels_come_and_go_with_their_bundle(store: ReactionStore, tmp_path: Path) -> None:
    label = taught_label("vulcan", kind="sticker", sticker="vulcan-1.gif")
    folder = taught_bundle(tmp_path / "taught-1", label)
    use(store, ModelBundle.read(folder))
    assert store.specs[-1].name == "vulcan"
    assert store.table()["vulcan"].kind is Kind.STICKER
    assert find_sticker("vulcan-1.gif", store.folders()).read_bytes() == b"GIF89a"
    change(store, rows(vulcan=ReactionRow(hold=2.0)))
    change(store, rows(vulcan=ReactionRow(hold=3.0)), "r-1")
    use(store, SHIPPED_BUNDLE)
    assert "vulcan" not in {*store.table(), *store.table("r-1"), *store.labels}
    use(store, ModelBundle.read(folder))
    assert (store.table()["vulcan"].hold, store.table("r-1")["vulcan"].hold) == (2.0, 3.0)


def test_a_bundle_whose_sticker_is_not_there_is_one_line(
    store: ReactionStore, tmp_path: Path
) -> None:
    label = taught_label("vulcan", kind="sticker", sticker="volcano")
    bundle = ModelBundle.read(taught_bundle(tmp_path / "taught-1", label))
    with pytest.raises(ModelError, match=r"vulcan\.sticker: there is no sticker volcano") as caught:
        store.check_stickers(bundle)
    assert "\n" not in str(caught.value)
    use(store, SHIPPED_BUNDLE)
    store.check_stickers(SHIPPED_BUNDLE)


def test_a_bundle_s_sticker_hides_none_of_the_operator_s(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "logo.gif").write_bytes(b"own")
    store = ReactionStore(tmp_path / "data", TABLE, [tmp_path / "own"])
    label = taught_label("vulcan", kind="sticker", sticker="logo.gif")
    use(store, ModelBundle.read(taught_bundle(tmp_path / "taught-1", label)))
    assert find_sticker("logo.gif", store.folders()).read_bytes() == b"own"


@pytest.fixture
def taught(tmp_path: Path) -> ModelBundle:
    """A bundle that teaches vulcan."""
    label = taught_label("vulcan", kind="sticker", sticker="vulcan-1.gif")
    return ModelBundle.read(taught_bundle(tmp_path / "taught-1", label))


@pytest.mark.parametrize("room", [None, "r-1"])
def test_rows_of_a_label_that_is_gone_stay_when_others_are_changed(
    store: ReactionStore, taught: ModelBundle, tmp_path: Path, room: str | None
) -> None:
    use(store, taught)
    change(store, rows(vulcan=ReactionRow(hold=2.0)), room)
    use(store, SHIPPED_BUNDLE)
    view = change(store, rows(wave=ReactionRow(hold=3.0)), room)
    assert set(view.rows) == {"wave"}
    view = store.keep(store.replaced(ReactionRows(rows=dict(view.rows)), room))
    assert set(view.rows) == {"wave"}
    with pytest.raises(ConfigError, match="rows: vulcan: unknown label"):
        change(store, rows(vulcan=ReactionRow(hold=1.0)), room)
    again = ReactionStore(tmp_path, TABLE)
    use(again, taught)
    assert (again.table(room)["vulcan"].hold, again.table(room)["wave"].hold) == (2.0, 3.0)
    use(again, SHIPPED_BUNDLE)
    change(again, rows(vulcan=None), room)
    use(again, taught)
    assert again.view(room).rows.keys() == {"wave"}


def test_kept_rows_fit_the_table_of_another_bundle(
    store: ReactionStore, taught: ModelBundle
) -> None:
    use(store, replace(taught, thresholds={"fist": 0.9}))
    sticker = ReactionRow(kind="sticker", outranks=("fist", "vulcan"))
    change(store, rows(wave=sticker, fist=ReactionRow(release=0.85), vulcan=ReactionRow(hold=1.0)))
    use(store, SHIPPED_BUNDLE)
    table = store.table()
    assert table["wave"].outranks == ("fist",)
    assert table["fist"].release == table["fist"].threshold < 0.85
    change(store, rows(smile=ReactionRow(hold=2.0)))
    with pytest.raises(ConfigError, match=r"rows: fist\.release"):
        change(store, rows(fist=ReactionRow(release=0.85)))
    use(store, replace(taught, thresholds={"fist": 0.9}))
    assert store.table()["wave"].outranks == ("fist", "vulcan")
    assert store.table()["fist"].release == 0.85


def test_kept_rows_that_are_refused_today_do_not_keep_a_server_from_starting(
    store: ReactionStore, tmp_path: Path
) -> None:
    kept = {
        "middle_finger": {"kind": "event", "sticker": "fire", "effect": "rain"},
        "fist": {"outranks": ["fist", "double_thumbs_up", "smile"], "hold": 1.5},
        "rock": {"outranks": ["ily"]},
        "ily": {"outranks": ["rock"]},
    }
    (tmp_path / "reactions.json").write_text(json.dumps({"rows": kept}))
    table = store.table()
    moderated = table["middle_finger"]
    assert (moderated.kind, moderated.sticker, moderated.effect) == ("event", None, None)
    assert (table["fist"].outranks, table["fist"].hold) == (("smile",), 1.5)
    assert table["rock"].outranks == table["ily"].outranks == ()


def test_a_sticker_row_of_a_label_that_is_taught_newly_as_an_event_is_left(
    store: ReactionStore, taught: ModelBundle
) -> None:
    use(store, taught)
    change(store, rows(vulcan=ReactionRow(kind="sticker")))
    use(store, replace(taught, taught=(taught_label("vulcan"),)))
    assert store.table()["vulcan"].kind is Kind.EVENT


def test_rows_of_labels_that_are_gone_leave_room_for_others(
    store: ReactionStore, tmp_path: Path
) -> None:
    gone = {f"gone_{number}": {"hold": 1.0} for number in range(MAX_ROWS)}
    (tmp_path / "reactions.json").write_text(json.dumps({"rows": gone}))
    change(store, rows(wave=ReactionRow(hold=2.0)))
    assert ReactionStore(tmp_path, TABLE).table()["wave"].hold == 2.0


def test_a_taught_label_s_sticker_can_be_looked_at(
    store: ReactionStore, taught: ModelBundle
) -> None:
    assert taught.folder is not None
    (taught.folder / "vulcan-1.gif").write_bytes(picture("GIF"))
    write_card(taught.folder)
    use(store, ModelBundle.read(taught.folder))
    data, found = store.picture("vulcan-1.gif")
    assert (data, found.kind) == (picture("GIF"), "GIF")
    assert store.picture("vulcan-1.gif", "r-1")[0] == data


def test_a_sticker_that_is_kept_already_needs_no_room_on_the_disk(
    store: ReactionStore, taught: ModelBundle, tmp_path: Path
) -> None:
    use(store, taught)
    before = (tmp_path / "taught-stickers" / "vulcan-1.gif").stat().st_ino
    store.keep_stickers(taught)
    assert (tmp_path / "taught-stickers" / "vulcan-1.gif").stat().st_ino == before


def test_an_operator_s_row_of_a_taught_label_waits_for_its_bundle(tmp_path: Path) -> None:
    label = taught_label("vulcan", threshold=0.6)
    store = ReactionStore(tmp_path, TABLE, taught=TaughtRows({"vulcan": {"hold": 2.5}}, "mine"))
    assert "vulcan" not in store.table()
    store.use_bundle(replace(SHIPPED_BUNDLE, taught=(label,)))
    assert store.table()["vulcan"].hold == 2.5
    assert store.table()["vulcan"].threshold == 0.6
    store.use_bundle(SHIPPED_BUNDLE)
    assert "vulcan" not in store.table()


def test_an_operator_s_row_that_does_not_fit_a_taught_label_names_its_file(tmp_path: Path) -> None:
    rows = TaughtRows({"vulcan": {"threshold": "high"}}, "mine.toml")
    store = ReactionStore(tmp_path, TABLE, taught=rows)
    with pytest.raises(ConfigError, match=r"mine.toml: vulcan.threshold"):
        store.use_bundle(replace(SHIPPED_BUNDLE, taught=(taught_label("vulcan"),)))


def test_the_table_of_a_server_has_what_its_clients_changed(tmp_path: Path) -> None:
    store = ReactionStore(tmp_path, TABLE)
    store.keep(store.changed(ReactionRows(rows={"fist": ReactionRow(threshold=0.95)})))
    bundle = replace(SHIPPED_BUNDLE, thresholds={"fist": 0.9, "rock": 0.8})
    table = table_of_server(tmp_path, TABLE, TaughtRows(), bundle)
    assert (table["fist"].threshold, table["rock"].threshold) == (0.95, 0.8)
