from pathlib import Path

from PIL import Image, ImageSequence

from gifs.text_sticker import draw_text_sticker


def test_each_frame_differs_from_the_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "salute.gif"
    draw_text_sticker("salute", path)
    with Image.open(path) as sticker:
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(sticker)]
    assert len(durations) > 4
    assert set(durations) == {110}
