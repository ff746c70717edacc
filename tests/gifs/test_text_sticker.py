from pathlib import Path

from PIL import Image

from gifs.text_sticker import draw_text_sticker


def test_each_frame_differs_from_the_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "salute.gif"
    draw_text_sticker("salute", path)
    with Image.open(path) as sticker:
        durations = []
        for index in range(sticker.n_frames):
            sticker.seek(index)
            durations.append(sticker.info["duration"])
    assert len(durations) > 4
    assert set(durations) == {110}
