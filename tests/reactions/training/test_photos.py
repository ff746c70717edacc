from pathlib import Path

import pytest
from PIL import Image

from config.errors import PictureError
from reactions.training.photos import Photo, load_picture, read_index


@pytest.mark.parametrize(
    ("label", "shape"),
    [
        ("victory", "victory"),
        ("ok", "ok_hand"),
        ("open_palm_stop", "open_palm"),
        ("two_palms_forward", "open_palm"),
        ("fist_back", "fist"),
        ("fist_side", "fist"),
        ("victory_back", "none"),
        ("neg_thumb_sideways", "none"),
        ("other_hand_three", "none"),
        ("negative", "none"),
        ("shush", None),
        ("arms_crossed", None),
    ],
)
def test_an_index_label_means_a_shape_or_none_or_nothing(label: str, shape: str | None) -> None:
    assert Photo("somewhere", label, "a.jpg", "image").shape == shape


def test_the_index_is_read_in_its_order(tmp_path: Path) -> None:
    text = "source,label,file,width,kind\ns,fist,b.jpg,3,image\ns,ok,a.jpg,3,image\n"
    (tmp_path / "index.csv").write_text(text)
    assert read_index(tmp_path) == [
        Photo("s", "fist", "b.jpg", "image"),
        Photo("s", "ok", "a.jpg", "image"),
    ]


def test_a_folder_without_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"index\.csv"):
        read_index(tmp_path)


def test_an_index_without_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("source,file\ns,a.jpg\n")
    with pytest.raises(PictureError, match="label, kind"):
        read_index(tmp_path)


def test_what_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"not a jpeg")
    with pytest.raises(PictureError, match=r"a\.jpg"):
        load_picture(tmp_path, Photo("s", "fist", "a.jpg", "image"))


def test_only_tight_crops_get_a_margin(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png")
    assert load_picture(tmp_path, Photo("s", "fist", "a.png", "image")).shape == (20, 40, 3)
    tight = load_picture(tmp_path, Photo("hagrid_crops", "fist", "a.png", "image"))
    assert tight.shape == (60, 80, 3)
