"""The reaction table: the shipped one, and the user's rows over it."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.reaction_rule import Kind
from config.reaction_table import load_reaction_table, load_table_with_origins, with_rows
from reactions.labels import LABELS, LabelSpec


def table_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "reactions.toml"
    path.write_text(text)
    return path


def test_shipped_table_has_a_rule_for_every_label_and_for_nothing_else() -> None:
    assert set(load_reaction_table(LABELS, environ={})) == set(LABELS)


def test_a_label_without_a_row_is_one_line_that_names_both() -> None:
    with pytest.raises(ConfigError, match=r"reactions\.toml: no row for dab \(add \[dab\]\)"):
        load_reaction_table({**LABELS, "dab": LABELS["fist"]}, environ={})


def test_a_row_of_ours_without_a_label_is_one_line_that_names_both() -> None:
    known = {label: spec for label, spec in LABELS.items() if label != "wave"}
    with pytest.raises(ConfigError, match=r"reactions\.toml: wave: unknown label"):
        load_reaction_table(known, environ={})


def test_a_threshold_is_the_labels_own_unless_a_row_sets_it(tmp_path: Path) -> None:
    path = table_file(tmp_path, "[rock]\nthreshold = 0.9")
    fist = replace(LABELS["fist"], threshold=0.77)
    table = load_reaction_table({**LABELS, "fist": fist}, path, environ={})
    assert table["fist"].threshold == 0.77
    assert table["rock"].threshold == 0.9


def test_the_table_can_be_handed_to_another_process() -> None:
    table = load_reaction_table(LABELS, environ={})
    assert pickle.loads(pickle.dumps(table)) == table


EVENTS = {
    *("face", "hand", "neutral"),
    # What people do while they listen is not put on screen.
    *("arms_raised", "hands_on_head", "arms_crossed", "shrug", "facepalm", "head_on_hand"),
}


def test_presence_and_postures_are_events_and_signs_have_their_own_sticker() -> None:
    table = load_reaction_table(LABELS, environ={})
    own = {label: rule for label, rule in table.items() if rule.kind is Kind.STICKER}
    assert {label for label, rule in table.items() if rule.kind is Kind.EVENT} >= EVENTS
    assert {label: rule.sticker for label, rule in own.items()} == {
        label: "coffee" if label == "drinking" else label for label in own
    }
    assert table["phone_at_ear"].kind is Kind.OFF


def test_users_row_changes_only_the_keys_that_it_names(tmp_path: Path) -> None:
    ours = load_reaction_table(LABELS, environ={})["victory"]
    path = table_file(tmp_path, "[victory]\nsticker = 'mine.gif'")
    loaded = load_table_with_origins(LABELS, path, environ={})
    assert loaded.table["victory"] == ours.model_copy(update={"sticker": "mine.gif"})
    assert loaded.table["rock"] == load_reaction_table(LABELS, environ={})["rock"]
    assert loaded.origins == {"victory.sticker": str(path)}


def test_event_label_can_be_mapped_to_a_sticker(tmp_path: Path) -> None:
    path = table_file(tmp_path, "[face]\nkind = 'sticker'\nsticker = 'smile'")
    assert load_reaction_table(LABELS, path, environ={})["face"].kind is Kind.STICKER


def test_sidecar_reactions_names_the_file(tmp_path: Path) -> None:
    path = table_file(tmp_path, "[rock]\nkind = 'off'")
    table = load_reaction_table(LABELS, environ={"SIDECAR_REACTIONS": str(path)})
    assert table["rock"].kind is Kind.OFF


def test_file_in_the_working_folder_is_found(tmp_path: Path) -> None:
    table_file(tmp_path / "work", "[rock]\nkind = 'off'")
    assert load_reaction_table(LABELS, environ={})["rock"].kind is Kind.OFF


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[smil]\nhold = 1", "smil: unknown label; did you mean 'smile'? allowed: face"),
        ("[smile]\nhld = 1", "smile.hld: unknown key; did you mean 'hold'? allowed: kind"),
        ("[smile]\nhold = 11", "smile.hold: 11 is refused: input should be less than"),
        ("[fist]\noutranks = ['fist']", "fist.outranks: a label can't outrank itself"),
        ("[smile]\nkind = 'of'", "'of' is refused: input should be 'sticker', 'event' or 'off'"),
        ("[smile]\noutranks = ['fits']", "unknown label 'fits'; did you mean 'fist'?"),
        ("[neutral]\nkind = 'sticker'", "neutral.sticker: a label of kind 'sticker' needs"),
        ("[smile]\nthreshold = 0.1", "smile.release: 0.5 exceeds the threshold of 0.1"),
        ("[smile]\nmoderated = true", "smile.moderated: is the label's own"),
        ("smile = 1", "smile: must be a table: [smile]"),
        ("[smile", "broken TOML"),
    ],
)
def test_mistake_is_one_line_with_file_label_key_and_what_is_allowed(
    text: str, line: str, tmp_path: Path
) -> None:
    path = table_file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_reaction_table(LABELS, path, environ={})
    assert str(caught.value).startswith(f"{path}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def moderated(label: str) -> dict[str, LabelSpec]:
    """The vocabulary with ``label`` moderated."""
    return {**LABELS, label: replace(LABELS[label], moderated=True)}


def test_a_moderated_label_of_kind_sticker_is_refused(tmp_path: Path) -> None:
    path = table_file(tmp_path, "[face]\nkind = 'sticker'\nsticker = 'smile'")
    with pytest.raises(ConfigError, match=r"face\.kind: the label is moderated: it is never drawn"):
        load_reaction_table(moderated("face"), path, environ={})


def test_a_moderated_label_stays_one_in_a_changed_table() -> None:
    table = load_reaction_table(moderated("face"), environ={})
    with pytest.raises(ConfigError, match=r"rows: face\.kind: the label is moderated"):
        with_rows(table, {"face": {"kind": "sticker", "sticker": "smile"}}, "rows")


@pytest.mark.parametrize("key", ["sticker", "effect", "crowd"])
def test_nothing_to_draw_can_be_given_to_a_moderated_label(key: str, tmp_path: Path) -> None:
    path = table_file(tmp_path, f"[middle_finger]\nkind = 'event'\n{key} = 'fire'")
    with pytest.raises(ConfigError, match=rf"middle_finger\.{key}: the label is moderated"):
        load_reaction_table(LABELS, path, environ={})
    with pytest.raises(ConfigError, match=rf"rows: middle_finger\.{key}: the label is moderated"):
        with_rows(load_reaction_table(LABELS, environ={}), {"middle_finger": {key: "fire"}}, "rows")


def test_labels_that_outrank_each_other_are_refused(tmp_path: Path) -> None:
    path = table_file(tmp_path, "[fist]\noutranks = ['thumbs_up', 'double_thumbs_up']")
    with pytest.raises(ConfigError, match="'double_thumbs_up' outranks 'fist'"):
        load_reaction_table(LABELS, path, environ={})
    table = load_reaction_table(LABELS, environ={})
    with pytest.raises(ConfigError, match=r"rows: smile\.outranks: 'laugh' outranks 'smile'"):
        with_rows(table, {"smile": {"outranks": ("laugh",)}}, "rows")


def test_rows_of_taught_labels_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "reactions.toml"
    path.write_text("[vulcan]\nhold = 2.0\n[fist]\nhold = 1.5\n")
    loaded = load_table_with_origins(LABELS, path, environ={}, taught=lambda: {"vulcan"})
    assert loaded.taught == {"vulcan": {"hold": 2.0}}
    assert set(loaded.table) == set(LABELS)
    assert loaded.table["fist"].hold == 1.5
    assert loaded.origins["vulcan.hold"] == loaded.file == str(path)


def test_a_row_that_no_bundle_was_taught_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "reactions.toml"
    path.write_text("[vulcam]\nhold = 2.0\n")
    with pytest.raises(ConfigError, match="did you mean 'vulcan'"):
        load_table_with_origins(LABELS, path, environ={}, taught=lambda: {"vulcan"})
