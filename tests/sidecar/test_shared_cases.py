"""The team's inputs that failed once, as they are: pictures and videos are read as players do."""

from pathlib import Path

import pytest

from sidecar.media.container.reader import TimedFrame
from sidecar.media.pictures import read_picture
from sidecar.media.recordings import open_recording

CASES = Path(__file__).parents[2].parent / "shared" / "cases"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CASES.is_dir(), reason="there is no ../shared/cases"),
]


@pytest.mark.parametrize("path", sorted(CASES.glob("video/*")), ids=lambda path: path.name)
def test_each_video_is_read_whole(path: Path) -> None:
    recording = open_recording(path)
    assert recording is not None
    with recording:
        items = [item for item in recording if isinstance(item, TimedFrame)]
    times = [item.time for item in items]
    frames = {"joined": 226, "full_rot": 72}.get(path.stem, 113)
    assert len(times) == frames
    assert 0 <= times[0] < 0.1
    assert times[-1] == pytest.approx((frames - 1) / 18, abs=0.15)
    assert items[0].frame.width / items[0].frame.height == pytest.approx(640 / 360, abs=0.02)


@pytest.mark.parametrize("path", sorted(CASES.glob("pictures/*")), ids=lambda path: path.name)
def test_each_picture_shows_the_same_mannequin(path: Path) -> None:
    if path.suffix == ".HEIC" or path.stem == "heic_named":
        pytest.importorskip("pillow_heif")
    mean = read_picture(path).pixels.mean((0, 1))
    # The cutout has a plain ground in place of the room behind.
    assert 150 < mean[1] < 205
    assert mean[0] >= mean[1] >= mean[2]
