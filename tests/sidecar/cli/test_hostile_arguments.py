"""Arguments of every command that are wrong in every way: one line, status 2, no traceback."""

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.sidecar.cli.conftest import Run

LONG = "x" * 300
WRONG = (
    ["annotate", "--list", LONG],
    ["annotate", "--list", "folder"],
    ["annotate", "--list", "/dev/full"],
    ["annotate", "ok.png", "--config", "folder"],
    ["annotate", "ok.png", "--reactions", "deep.toml"],
    ["replay", LONG, "out.mp4"],
    ["replay", "two\nlines", "out.mp4"],
    ["replay", "--", "-x", "out.mp4"],
    ["replay", "folder", "out.mp4"],
    ["replay", "fifo", "out.mp4"],
    ["replay", "/dev/zero", "out.mp4"],
    ["replay", "empty.mp4", "out.mp4"],
    ["replay", "text.jpg", "out.jpg"],
    ["replay", "", "out.mp4"],
    ["replay", "ok.png", ""],
    ["replay", "ok.png", "ok.png"],
    ["replay", "ok.png", "out.xyz"],
    ["replay", "ok.png", "folder"],
    ["replay", "ok.png", "/dev/full"],
    ["replay", "ok.png", "no/such/out.png"],
    ["replay", "ok.png", f"{LONG}.png"],
    ["replay", "ok.png", "out.png", "--events", "folder"],
    ["replay", "ok.png", "out.png", "--events", LONG],
    *(
        ["config", option, name]
        for option in ("--config", "--reactions")
        for name in (
            LONG, "two\nlines", "", "folder", "/dev/zero", "/dev/full", "binary", "deep.toml",
            "deep_keys.toml", "types.toml",
        )
    ),
    *(
        ["dataset", "snapshot", *where, "--into", "tea", "--consent", "yes", "--delete-after", day]
        for where, day in (
            (["r1", "--server", "http://[x"], "2099-01-31"),
            (["r1", "--server", "http://h:99999"], "2099-01-31"),
            (["http://[x"], "2099-01-31"),
            (["ws://host:99999/x"], "2099-01-31"),
            (["ws://host#room"], "soon"),
        )
    ),
    ["dataset", "collect", "x.csv", "--into", "tea", "--config", "types.toml"],
    ["join", ""],
    ["join", "-"],
    ["join", LONG],
    ["join", "two\nlines"],
    ["join", "ws://["],
    ["join", "ws://host:99999/x"],
    ["join", "nosuch://host"],
    ["join", "folder"],
    ["join", "/dev/zero"],
    ["join", "fifo"],
    ["join", "ws://host#room", "--for", "soon"],
    ["join", "ws://host#room", "--layout", "x"],
    ["join", "ws://host#room", "--labels", "x"],
    ["join", "ws://host#room", "--secrets", "folder"],
    ["join", "ws://host#room", "--secrets", LONG],
    ["join", "ws://host#room", "--secrets", "/dev/zero"],
    ["join", "ws://host#room", "--config", "types.toml"],
    ["doctor", "--config", "deep.toml"],
    ["demo", "--port", "-1"],
    ["demo", "--mannequins", "x"],
    ["demo", "--for", ""],
    ["demo", "--for", "-1"],
    ["demo", "--host", ""],
    ["demo", "--config", "deep.toml"],
    ["serve", "--port", "99999"],
    ["serve", "--host", ""],
    ["serve", "--token-file", "/dev/zero"],
    ["serve", "--token-file", "folder"],
    ["serve", "--token-file", LONG],
    ["serve", "--token-file", "binary"],
    ["serve", "--livekit", "sfu.example"],
    ["serve", "--livekit", "wss://sfu.example#room"],
    ["serve", "--config", "types.toml"],
    ["models", "fetch", LONG],
    ["models", "fetch", "two\nlines"],
    ["models", "list", "--config", "folder"],
    ["models", "verify", "--config", "deep.toml"],
)  # fmt: skip


@pytest.fixture
def inputs(run: Run) -> None:
    """Odd files in the folder in which commands run."""
    Path("folder").mkdir()
    os.mkfifo("fifo")
    Path("empty.mp4").touch()
    Path("text.jpg").write_text("hello")
    Path("binary").write_bytes(b"\xff\xfe\0")
    Path("deep.toml").write_text("x = " + "[" * 5000)
    Path("deep_keys.toml").write_text("[a." + "b." * 5000 + "c]")
    Path("types.toml").write_text('[server]\nport = "x"\norigins = 3\n[wave]\nhold = []\n')
    Image.new("RGB", (64, 48)).save("ok.png")


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("arguments", WRONG, ids=lambda words: " ".join(words)[:60])
def test_what_is_wrong_is_one_line_and_status_2(arguments: list[str], run: Run) -> None:
    status, out, err = run(*arguments)
    assert status == 2, err
    assert err.startswith("sidecar: error: ")
    assert err.count("\n") == 1
    assert len(err) < 1000
    assert out == ""
