import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import av
import numpy as np
import pytest

from config.errors import PictureError
from reactions.mannequin import CAST, Choreography, Scene
from reactions.mannequin.clip import Shot, render_clip

PLAY = Choreography([("thumbs_up", 0.4), ("neutral", 0.2)], transition=0.2)


def decode(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def make(folder: Path, fps: int = 10, workers: int = 1) -> Path:
    return render_clip(
        CAST["Mei"], PLAY, Scene(), fps, width=160, height=90, workers=workers, folder=folder
    )


def test_a_clip_holds_one_round_of_vp8(tmp_path: Path) -> None:
    path = make(tmp_path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "vp8"
        assert (stream.codec_context.width, stream.codec_context.height) == (160, 90)
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert len(packets) == round(PLAY.duration * 10)
    assert packets[0].is_keyframe


def test_a_clip_shows_what_was_drawn(tmp_path: Path) -> None:
    shot = Shot(CAST["Mei"], PLAY, Scene(), 10, 160, 90)
    drawn = list(shot.frames())
    shown = decode(make(tmp_path))
    assert len(shown) == len(drawn)
    for a, b in zip(shown, drawn, strict=True):
        assert np.abs(a.astype(int) - b).mean() < 8


def test_a_finished_clip_is_not_drawn_again(tmp_path: Path) -> None:
    path = make(tmp_path)
    written = path.stat().st_mtime_ns
    assert make(tmp_path) == path
    assert path.stat().st_mtime_ns == written
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_another_person_play_or_rate_is_another_file(tmp_path: Path) -> None:
    first = make(tmp_path)
    assert make(tmp_path, fps=5) != first
    again = replace(PLAY, seed=3)
    other = render_clip(
        CAST["Mei"], again, Scene(), 5, width=160, height=90, workers=1, folder=tmp_path
    )
    assert other not in (first, make(tmp_path, fps=5))


def test_progress_ends_at_the_length_of_the_clip(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    for _ in range(2):
        render_clip(
            CAST["Mei"], PLAY, Scene(), 10, width=160, height=90, workers=1, folder=tmp_path,
            progress=lambda done, total: heard.append((done, total)),
        )  # fmt: skip
    length = round(PLAY.duration * 10)
    assert heard[-1] == (length, length)


def test_several_processes_make_the_same_clip(tmp_path: Path) -> None:
    alone = decode(make(tmp_path / "one", fps=60))
    shared = decode(make(tmp_path / "two", fps=60, workers=2))
    assert len(alone) == len(shared) > 50
    np.testing.assert_array_equal(alone[-1], shared[-1])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(PictureError, match="file"):
        make(blocked)


DRAW = """
import signal, sys
from pathlib import Path
from reactions.mannequin import CAST, Choreography, Scene
from reactions.mannequin.clip import render_clip

def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    play = Choreography([("thumbs_up", 30.0), ("neutral", 30.0)])
    try:
        render_clip(
            CAST["Mei"], play, Scene(), 60, width=160, height=90, workers=2,
            folder=Path(sys.argv[1]),
            progress=lambda done, total: print(done, flush=True),
        )
    except KeyboardInterrupt:
        sys.exit(130)

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("drawing", [True, False], ids=["while drawing", "while starting"])
def test_drawing_that_is_interrupted_ends_without_a_trace(
    tmp_path: Path, number: signal.Signals, drawing: bool
) -> None:
    """A terminal, or a service manager, sends the signal to all processes of the group."""
    script, folder = tmp_path / "draw.py", tmp_path / "clips"
    script.write_text(DRAW)
    with subprocess.Popen(
        [sys.executable, script, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Under nohup and the like, SIGINT would be ignored by inheritance.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        if drawing:
            process.stdout.readline()
        else:
            while not list(folder.glob("*.part")):
                time.sleep(0.02)
            time.sleep(0.2)
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=30)
    assert errors == ""
    assert process.returncode == 130
    assert list(folder.iterdir()) == []


def test_a_worker_that_is_killed_is_reported_in_one_line(tmp_path: Path) -> None:
    def kill_one(done: int, total: int) -> None:
        for process in active_children():
            process.kill()

    play = Choreography([("thumbs_up", 10.0)])
    with pytest.raises(PictureError, match="was ended"):
        render_clip(
            CAST["Mei"], play, Scene(), 60, width=160, height=90, workers=2, folder=tmp_path,
            progress=kill_one,
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
