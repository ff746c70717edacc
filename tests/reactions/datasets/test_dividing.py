"""Splits, what is checked in them, and how labels are counted."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from config.errors import DatasetError
from reactions.datasets.checking import FindingKind, check_dataset
from reactions.datasets.counting import LabelCount, count_labels, draw_label_chart
from reactions.datasets.frame_choice import FrameChoice
from reactions.datasets.look import alike_rows, difference_hash, differing_bits
from reactions.datasets.records import LabelledBox, Origin, PictureRecord, Split
from reactions.datasets.splitting import SplitShares, picture_groups, split_pictures
from reactions.datasets.store import Dataset, changing_dataset
from tests.reactions.datasets.pictures import draw, make_dataset, record_of


def record(index: int, person: str = "", source: str = "", label: str = "cup") -> PictureRecord:
    look = random.Random(index).getrandbits(64)
    return PictureRecord(
        f"{index:064x}.png",
        f"{index}.png",
        64,
        48,
        f"{look:016x}",
        labels=(label,),
        origin=Origin(person=person, source=source),
    )


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=30, max_size=60),
    st.integers(0, 9),
)
def test_no_person_and_no_source_is_in_two_splits(pairs: list[tuple[int, int]], seed: int) -> None:
    # 0 is unknown: nothing is known to belong together.
    records = [
        record(index, person=f"p{person}" if person else "", source=f"s{source}" if source else "")
        for index, (person, source) in enumerate(pairs)
    ]
    try:
        splits = split_pictures(records, SplitShares(), seed)
    except DatasetError:
        return
    for kind in ("person", "source"):
        sides: dict[str, set[Split]] = {}
        for item in records:
            sides.setdefault(getattr(item.origin, kind), set()).add(splits[item.file])
        sides.pop("", None)
        assert all(len(found) == 1 for found in sides.values())
    assert set(splits.values()) == {Split.TRAIN, Split.TEST}


def test_a_split_follows_from_records_and_seed_alone() -> None:
    records = [record(index, person=f"p{index // 5}") for index in range(100)]
    one = split_pictures(records, SplitShares(), 1)
    assert split_pictures(records[::-1], SplitShares(), 1) == one
    assert split_pictures(records, SplitShares(), 2) != one


def test_shares_hold_for_each_label() -> None:
    records = [record(index, label="rare" if index % 10 == 0 else "cup") for index in range(200)]
    splits = split_pictures(records, SplitShares(validation=0.1, test=0.2))
    for label, count in (("rare", 20), ("cup", 180)):
        files = [item.file for item in records if item.labels == (label,)]
        tests = sum(splits[file] is Split.TEST for file in files)
        assert abs(tests - 0.2 * count) <= 2


def test_near_duplicates_stay_together_and_too_few_groups_are_refused() -> None:
    twins = [replace(record(index), look="0123456789abcdef") for index in range(4)]
    with pytest.raises(DatasetError, match="look is 1"):
        split_pictures(twins, SplitShares())
    with pytest.raises(DatasetError, match="leave something"):
        SplitShares(0.5, 0.5)


def test_thousands_of_like_pictures_are_one_group_and_are_each_listed_once(tmp_path: Path) -> None:
    twins = [replace(record(index), look="0123456789abcdef") for index in range(3000)]
    assert [len(group) for group in picture_groups([*twins, record(9999)])] == [3000, 1]
    alike = list(check_dataset(Dataset(tmp_path, {item.file: item for item in twins})))
    assert sum(item.kind is FindingKind.DUPLICATE for item in alike) == 2999


def test_a_check_finds_each_kind(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set")
    twin = draw(tmp_path / "twin.png", 0, (640, 480))
    boxes = LabelledBox("cup", 1, 1, 5, 5), LabelledBox("cup", 600, 1, 700, 9)
    ada = Origin(person="ada")
    with changing_dataset(tmp_path / "set") as dataset:
        dataset.put(record_of(twin, boxes=boxes, split=Split.TEST, origin=ada), twin)
        dataset.path(list(dataset.records.values())[1]).unlink()
        found = [str(f"{item.kind}: {item.what}") for item in check_dataset(dataset)]
    assert "leak: person 'ada' is in test and train" in found
    assert "leak: picture 0.png and twin.png look alike and are in test and train" in found
    assert "tiny box: twin.png: cup at 1,1, 4x4 pixels" in found
    assert "box outside: twin.png: cup at 600,1" in found
    assert "untested label: thumbs_up is not in test" in found
    assert sum(line.startswith("missing file: picture 1.png") for line in found) == 1


def test_a_near_duplicate_in_one_split_hides_no_leak_to_another(tmp_path: Path) -> None:
    # The first and the last differ in 6 bits, each from the second in 3.
    looks = (0b111, 0b0, 0b111000), (Split.TRAIN, Split.TEST, Split.NONE)
    records = [
        replace(record(index), look=f"{bits:016x}", split=split)
        for index, (bits, split) in enumerate(zip(*looks, strict=True))
    ]
    records.append(replace(record(3), look=f"{0b111:016x}", split=Split.TRAIN))
    found = check_dataset(Dataset(tmp_path, {item.file: item for item in records}))
    leaks = [item.what for item in found if item.kind is FindingKind.LEAK]
    assert leaks == [
        f"{one}.png and {other}.png look alike and are in test and train"
        for one, other in ((0, 1), (1, 3))
    ]


def test_rare_labels_are_found(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set")
    first = next(iter(dataset.records.values()))
    dataset.put(replace(first, boxes=first.boxes[:1] * 30))
    kinds = [item.what for item in check_dataset(dataset) if item.kind is FindingKind.RARE]
    assert kinds == ["thumbs_up 1 times, the commonest 31 times"]


def test_labels_are_counted_and_drawn(tmp_path: Path) -> None:
    records = make_dataset(tmp_path / "set").records.values()
    table = count_labels(records)
    assert table.columns == ("training", "validation", "test")
    assert table.rows == (LabelCount("cup", (2, 0, 0)), LabelCount("thumbs_up", (1, 1, 0)))
    draw_label_chart(table, tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as chart:
        assert chart.format == "PNG"
        assert chart.width >= 600


def test_scaled_pictures_look_alike_and_others_do_not(tmp_path: Path) -> None:
    small, large, other = (
        int(record_of(draw(tmp_path / f"{name}.png", seed, size)).look, 16)
        for name, seed, size in (("a", 1, (64, 48)), ("b", 1, (640, 480)), ("c", 2, (64, 48)))
    )
    assert differing_bits(small, large) <= 4
    assert differing_bits(small, other) > 15
    assert [(row, *near) for row, near in alike_rows([small, other, large])] == [(0, 2)]


def test_frames_are_chosen_by_number_and_by_cut_without_near_duplicates() -> None:
    first, second = 0, (1 << 40) - 1
    choice = FrameChoice(every=4)
    frames = [first] * 6 + [second] * 5
    assert [index for index, bits in enumerate(frames) if choice.take(bits)] == [0, 6]
    assert choice.duplicates == 2
    keep = FrameChoice(every=4, scenes=False, alike=-1)
    assert [index for index, bits in enumerate(frames) if keep.take(bits)] == [0, 4, 8]


def test_a_flat_picture_has_no_bits() -> None:
    import numpy as np

    assert difference_hash(np.full((48, 64, 3), 90, np.uint8)) == 0
