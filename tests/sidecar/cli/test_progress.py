"""Progress where there is no terminal."""

import pytest

from sidecar.cli import progress
from sidecar.cli.progress import INTERVAL, ProgressLines, progress_bar


def test_long_work_writes_a_line_every_few_seconds_and_one_at_the_end() -> None:
    now, lines = 0.0, list[str]()
    move = ProgressLines("Drawing", lines.append, clock=lambda: now)
    for step in range(101):
        now = step * 0.1
        move(step / 100, "Amara")
    move(1.0)
    assert lines == [f"Drawing: {share}%, Amara" for share in (30, 60, 90)] + [
        "Drawing: 100%, Amara"
    ]
    assert INTERVAL == 3.0


def test_short_work_is_silent() -> None:
    lines: list[str] = []
    move = ProgressLines("Drawing", lines.append, clock=lambda: 0.0)
    move(0.5)
    move(1.0)
    assert lines == []


def test_lines_go_to_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    with progress_bar("Drawing") as move:
        move(0.25, "Amara")
    assert capsys.readouterr() == ("", "Drawing: 25%, Amara\n")
