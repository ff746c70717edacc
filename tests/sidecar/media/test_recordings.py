"""Recordings by their content."""

import os
from pathlib import Path

import pytest

from config.errors import PictureError
from sidecar.media.container.reader import VideoReader
from sidecar.media.pictures import AnimationReader
from sidecar.media.recordings import open_recording
from tests.media_cases import write_video
from tests.picture_cases import animation, colours


def test_videos_animations_and_stills_are_distinguished(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.gif", container_format="mp4")
    moving = animation(tmp_path / "a.mp4", "GIF", [100, 100])
    colours().save(tmp_path / "a.mkv", "PNG")
    recording = open_recording(video)
    assert isinstance(recording, VideoReader)
    with recording:
        assert recording.rate == 25
    assert isinstance(open_recording(moving), AnimationReader)
    assert open_recording(tmp_path / "a.mkv") is None


PLAYLISTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{video}\n#EXT-X-ENDLIST\n",
    "a.mp4": "#EXTM3U\n#EXTINF:5,\n{video}\n",
    "a.ffconcat": "ffconcat version 1.0\nfile '{video}'\n",
    "a.txt": "ffconcat version 1.0\nfile '{video}'\n",
    "a.mpd": '<?xml version="1.0"?><MPD><Period><BaseURL>{video}</BaseURL></Period></MPD>',
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "a.svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{video}"/></svg>',
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_file_opens_no_other(tmp_path: Path, name: str) -> None:
    video = write_video(tmp_path / "private.mp4")
    path = tmp_path / name
    path.write_text(PLAYLISTS[name].format(video=video))
    with pytest.raises(PictureError, match="can't be read as a video"):
        open_recording(path)


@pytest.mark.parametrize(
    "name", ["pipe:0", "concat:a|b", "tcp:/127.0.0.1:9", "http:", "/dev/zero", "fifo", "a\0b"]
)
def test_addresses_pipes_and_devices_are_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:").mkdir()
    os.mkfifo("fifo")
    with pytest.raises(PictureError):
        open_recording(Path(name))
