"""``sidecar replay`` as users call it: one line and status 2 for each user error."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sidecar.cli import progress
from tests.bitstreams import h264_stream
from tests.media_cases import UNITY, marked, picture, turned, write_h264, write_video
from tests.picture_cases import animation, colours
from tests.sidecar.cli.conftest import Run

LONG = "n" * 251 + ".mp4"


def prepare(folder: Path) -> None:
    """One of each kind of file that is refused, and two good ones."""
    write_video(folder / "good.mp4")
    colours().save(folder / "good.png")
    write_h264(folder / "bomb.mkv", h264_stream(16000, 16000, shown=(64, 48)))
    half = round(UNITY * 0.7071)
    turned(write_video(folder / "tilted.mp4"), (half, half, 0, -half, half, 0, 0, 0, 1 << 30))
    (folder / "text.mp4").write_text("no video")
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\ngood.mp4\n")
    (folder / "empty.mkv").touch()
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["gone.mp4", "out.mp4"], "gone.mp4: can't be read: No such file"),
        (["text.mp4", "out.mp4"], "can't be read as a video"),
        (["empty.mkv", "out.mp4"], "can't be read as a video"),
        (["list.m3u8", "out.mp4"], "its format is none that is read"),
        (["folder", "out.mp4"], "is a folder"),
        (["pipe", "out.mp4"], "is not a regular file"),
        (["/dev/zero", "out.mp4"], "is not a regular file"),
        (["pipe:0", "out.mp4"], "No such file"),
        (["concat:good.mp4|good.mp4", "out.mp4"], "No such file"),
        (["https://127.0.0.1:9/a.mp4", "out.mp4"], "No such file"),
        (["good.mp4", "out.doc"], "can't hold a video (name it .mp4 .m4v .mov .mkv .webm .gif"),
        (["good.mp4", "out"], "can't hold a video"),
        (["good.mp4", "out.jpg"], "can't hold a video"),
        (["good.png", "out.mp4"], "can't hold a picture (name it .jpg"),
        (["good.mp4", "."], "is a folder"),
        (["good.mp4", "good.mp4"], "would overwrite"),
        (["good.mp4", "out.mp4", "--events", "out.mp4"], "would overwrite"),
        (["x" * 5000, "out.mp4"], "File name too long"),
    ],
)
def test_what_can_be_known_before_is_one_line_before_the_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    def work(*args: object) -> None:
        pytest.fail("began to work")

    monkeypatch.setattr("sidecar.cli.replay.ready_store", work)
    prepare(tmp_path)
    before = sorted(tmp_path.iterdir())
    status, out, err = run("replay", *arguments)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("sidecar: error: ")
    assert reason in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.models
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["tilted.mp4", "out.mp4"], "is turned by 45°"),
        (["bomb.mkv", "out.mp4"], "16000x16000 exceeds"),
        (["good.mp4", "nowhere/out.mp4"], "can't be written: No such file"),
        (["good.mp4", LONG.replace("n", "nn", 9)], "File name too long"),
        (["good.mp4", "out.mp4", "--events", "nowhere/log"], "can't be written: No such file"),
    ],
)
def test_what_fails_later_is_one_line_and_leaves_an_older_file(
    run: Run, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    prepare(tmp_path)
    (tmp_path / "out.mp4").write_text("older")
    before = sorted(tmp_path.iterdir())
    status, out, err = run("replay", *arguments)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert reason in err
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "out.mp4").read_text() == "older"


@pytest.mark.models
@pytest.mark.parametrize(
    "name",
    [
        "2026-11-29T14:30:00Z.mp4",
        "-o.mp4",
        "50% of #1.mp4",
        "two\nlines.mp4",
        "\u202fcafe\u0301 \U0001f469\u200d\U0001f4bb.mp4",
    ],
)
def test_any_name_goes_in_and_out(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # However long it takes: no line of progress is written.
    monkeypatch.setattr(progress, "INTERVAL", math.inf)
    write_video(tmp_path / "in.mp4", [picture(marked()) for _ in range(3)])
    (tmp_path / "in.mp4").rename(tmp_path / name)
    out = name.replace(".mp4", ".mkv")
    status, _, err = run("replay", "--", name, out)
    assert (status, err) == (0, "")
    assert (tmp_path / out).stat().st_size > 500
    events = (tmp_path / f"{out}.events.jsonl").read_text(encoding="utf-8")
    assert events.count("\n") == 2


@pytest.mark.models
def test_a_name_that_is_no_text_goes_in_and_out_as_it_is(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", [picture(marked()) for _ in range(3)])
    (tmp_path / "in.mp4").rename(tmp_path / os.fsdecode(b"latin-\xe9.mp4"))
    command: list[str | bytes] = [
        sys.executable,
        "-m",
        "sidecar",
        "replay",
        b"latin-\xe9.mp4",
        b"out-\xe9.mkv",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=120)
    assert done.stdout == b"out-\xe9.mkv\nout-\xe9.mkv.events.jsonl\n"
    assert done.stderr == b""
    assert (tmp_path / os.fsdecode(b"out-\xe9.mkv")).exists()


@pytest.mark.models
def test_an_animation_goes_in_and_out(run: Run, tmp_path: Path) -> None:
    animation(tmp_path / "in.gif", "GIF", [100, 200, 100])
    for name in ("out.gif", "out.webp", "out.mp4"):
        assert run("replay", "in.gif", name)[0] == 0
        assert (tmp_path / name).exists()


@pytest.mark.models
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_part_of_a_file(tmp_path: Path, number: signal.Signals) -> None:
    source = write_video(
        tmp_path / "in.mkv", [picture(marked(count)) for count in range(3000)], codec="libvpx"
    )
    target = tmp_path / "out.mp4"
    target.write_text("older")
    command = [sys.executable, "-m", "sidecar", "replay", str(source), str(target)]

    def default_signal() -> None:
        # ``nohup make test`` ignores SIGHUP, and a shell's background job SIGINT.
        signal.signal(number, signal.SIG_DFL)

    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=default_signal
    ) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".*.partial")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    assert process.returncode == (130 if number is signal.SIGINT else 128 + number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out.mp4"]
    assert target.read_text() == "older"
