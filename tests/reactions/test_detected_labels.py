import json
from dataclasses import replace
from pathlib import Path

import pytest

from config.errors import ModelError
from config.reaction_rule import Kind
from config.settings import load_settings
from reactions.bundle import SHIPPED_BUNDLE
from reactions.bundle_label import with_bundle_labels
from reactions.detected_labels import (
    DetectedLabel,
    DetectorCard,
    LayerTable,
    label_of_box,
    object_label,
    read_detector,
    write_detector,
)
from reactions.geometry import Box
from reactions.gestures.motion import Motion
from reactions.gestures.objects import OBJECTS_KEPT, read_objects
from reactions.gestures.recognizer import Recognizer
from reactions.labels import Group
from reactions.landmark_types import FoundObject, ModelFamily, Observation
from reactions.landmarks.model_store import ModelStore
from sidecar.session.factories import pipeline_config
from sidecar.supervisor.model_store import BundleStore

BOX = Box(0.1, 0.1, 0.2, 0.2)


def label(name: str = "phone", **more: object) -> DetectedLabel:
    return DetectedLabel.model_validate({"name": name, "how": "hold it", "threshold": 0.5, **more})


CARD = DetectorCard(
    width=64,
    height=64,
    layers=(LayerTable(rows=8, columns=8, shapes=((0.2, 0.2),)),),
    labels=(label(), label("mug")),
)


def seen(*found: FoundObject, time: float = 0.0, looked: bool = True) -> Observation:
    return Observation(640, 360, time, objects=found if looked else None)


def test_a_card_comes_back_as_it_was(tmp_path: Path) -> None:
    write_detector(CARD, tmp_path / "detector.json")
    assert read_detector(tmp_path / "detector.json") == CARD


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format"),
        ({"width": 10**6}, "width"),
        ({"labels": []}, "labels"),
        ({"labels": [label().model_dump(), label().model_dump()]}, "is detected twice"),
        ({"layers": [{"rows": 500, "columns": 500, "shapes": [[1, 1]]}]}, "too many boxes"),
        ({"labels": [label().model_dump() | {"name": "fist"}]}, "is a label of the vocabulary"),
        ({"labels": [label().model_dump() | {"kind": "sticker"}]}, "has no sticker"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_card_is_one_line(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = tmp_path / "detector.json"
    path.write_text(json.dumps({**CARD.model_dump(), **changes}))
    with pytest.raises(ModelError, match=message) as caught:
        read_detector(path)
    assert "\n" not in str(caught.value)


def test_a_label_is_scored_by_the_surest_box_of_its_class() -> None:
    recognizer = Recognizer((), taught=[label().spec(), label("mug").spec()])
    found = (
        FoundObject("phone", 0.6, Box(0.5, 0.5, 0.1, 0.1)),
        FoundObject("phone", 0.8, BOX),
        FoundObject("book", 0.9, BOX),
    )
    scores, motion = recognizer.recognize(seen(*found), None)
    assert [(one.label, one.score, one.box) for one in scores] == [("phone", 0.8, BOX)]
    # In the next sample none was looked for.
    later, _ = recognizer.recognize(seen(time=0.2, looked=False), motion)
    assert [one.label for one in later] == ["phone"]


def test_a_reading_holds_for_a_while_and_a_look_that_finds_nothing_ends_it() -> None:
    first = read_objects((), seen(FoundObject("mug", 0.7, BOX)))
    assert read_objects(first, seen(time=OBJECTS_KEPT, looked=False)) == first
    assert read_objects(first, seen(time=OBJECTS_KEPT + 0.1, looked=False)) == ()
    assert read_objects(first, seen(time=0.2)) == ()
    assert Motion().follow(seen(FoundObject("mug", 0.7, BOX))).objects == first


@pytest.mark.parametrize("kinds", [{}, {"phone": Kind.OFF}, {"phone": Kind.OFF, "mug": Kind.OFF}])
def test_objects_that_a_row_turns_off_are_not_scored(kinds: dict[str, Kind]) -> None:
    labels = (label(), label("mug"))
    bundle = replace(SHIPPED_BUNDLE, detected=labels)
    rules = {**with_bundle_labels({}, labels)}
    rules |= {name: rules[name].model_copy(update={"kind": kind}) for name, kind in kinds.items()}
    config = pipeline_config(ModelStore(), rules, load_settings(), bundle)
    assert {one.name for one in config.detected} == {"phone", "mug"} - kinds.keys()


def test_it_needs_no_model_of_ours() -> None:
    spec = label(title="Telephone").spec()
    assert (spec.group, spec.title) == (Group.OBJECT, "Telephone")
    assert spec.families == {ModelFamily.DETECTOR}
    assert label(kind="sticker", sticker="coffee").rule().kind is Kind.STICKER


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("phone", "phone"), ("Mobile phone", "mobile_phone"), ("fist", "fist_object"), ("A4", "a")],
)
def test_a_class_of_a_data_set_becomes_the_name_of_a_label(name: str, wanted: str) -> None:
    assert object_label(name) == wanted
    assert label(wanted).name == wanted


def test_a_class_without_letters_is_refused() -> None:
    with pytest.raises(ModelError, match="can't be the name of a label"):
        object_label("42")
    assert label_of_box("42") == ""


def test_rows_of_objects_may_stand_in_the_user_s_table(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_detector(CARD, tmp_path / "mine" / "detector.json")
    assert BundleStore(tmp_path).taught_names() == {"phone", "mug"}
