"""The checked-in stickers and effects keep to their limits."""

import numpy as np
import pytest
from PIL import Image

from gifs.catalogue import EFFECTS, STICKERS, own_file


def _open(name: str) -> Image.Image:
    path = own_file(name)
    assert path is not None
    return Image.open(path)


def test_a_name_that_is_not_ours_has_no_file() -> None:
    assert own_file("thumbs_up.gif") is None


@pytest.mark.parametrize("name", STICKERS)
def test_a_sticker_keeps_to_its_limits(name: str) -> None:
    path = own_file(name)
    assert path is not None
    assert path.stat().st_size <= 200_000
    with _open(name) as image:
        assert image.format == "GIF"
        assert image.size == (240, 240)
        assert image.info["loop"] == 0
        frames = getattr(image, "n_frames", 1)
        assert 12 <= frames <= 30
        for frame in range(frames):
            image.seek(frame)
            alpha = np.asarray(image.convert("RGBA"))[..., 3]
            shown = (alpha == 255).mean()
            assert set(np.unique(alpha)) == {0, 255}
            assert 0.05 < shown < 0.9
            # Nothing is cut off: at most a few pixels touch the edge of the picture.
            edges = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
            assert (edges == 255).sum() <= 40, frame


@pytest.mark.parametrize("name", STICKERS)
def test_a_sticker_has_no_jump_where_it_loops(name: str) -> None:
    """The step from the last frame to the first is no larger than the others."""
    with _open(name) as image:
        pictures = []
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            small = image.convert("RGBA").convert("RGBa").resize((60, 60), Image.Resampling.BOX)
            pictures.append(np.asarray(small).astype(np.float32))
    steps = [
        np.abs(b - a).mean() for a, b in zip(pictures, pictures[1:] + pictures[:1], strict=True)
    ]
    assert max(steps) > 0.5
    assert steps[-1] <= 1.2 * max(steps[:-1])


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_keeps_to_its_limits(name: str) -> None:
    path = own_file(name)
    assert path is not None
    assert path.stat().st_size <= 400_000
    with _open(name) as image:
        assert image.format == "WEBP"
        assert image.width / image.height == pytest.approx(16 / 9)
        assert image.width <= 480
        assert image.info["loop"] == 0
        assert getattr(image, "n_frames", 1) >= 24
        image.load()
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
        assert alpha.min() == 0
        assert (alpha > 0).mean() < 0.6


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_has_no_dark_haze(name: str) -> None:
    """What is nearly transparent was dropped: its colour would be a rounding error."""
    with _open(name) as image:
        image.seek(10)
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
        assert ((alpha > 0) & (alpha < 8)).mean() < 0.001
