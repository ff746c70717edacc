import io
import json

import pytest
from rich.console import Console

from sidecar.cli.terminal_view import live_view, render
from sidecar.session.events import ParticipantJoined
from sidecar.session.stats import ParticipantStatus, RecentReaction, Status

ADA = ParticipantStatus("ada", "Ada [x]", 320, 180, 14.6, "smile", 0.81, False, False)
BO = ParticipantStatus("bo", "Bo", None, None, 0.0, None, None, True, True)


def status(*people: ParticipantStatus, rejoined: int = 0) -> Status:
    reactions = (RecentReaction(65.0, "Ada", "wave"),)
    return Status("Janus", "1234", 3725.4, rejoined, 24.9, 2, 1, 0.31, people, reactions)


def drawn(of: Status) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(render(of))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_everybody_has_a_line_with_their_layer_rate_and_best_label() -> None:
    text = drawn(status(ADA, BO))
    assert "Ada [x]" in text
    assert "320x180" in text
    assert "smile 81%" in text
    assert "opted out" in text


def test_the_head_tells_system_room_time_and_load() -> None:
    head = drawn(status(ADA)).splitlines()[0]
    for part in ("Janus · 1234", "1:02:05", "25 pictures/s", "2 late", "31% of a core"):
        assert part in head
    assert "joined anew" not in head
    assert "joined anew 3x" in drawn(status(ADA, rejoined=3))


def test_an_empty_room_says_so() -> None:
    assert "nobody's camera is on" in drawn(status())


def test_reactions_are_listed_with_their_time() -> None:
    assert "0:01:05  Ada: wave" in drawn(status(ADA))


def test_where_nobody_looks_events_and_a_status_now_and_then_are_json_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with live_view() as show:
        show.event(ParticipantJoined(0.5, "ada", "Ada"))
        for _ in range(3):
            show.status(status(ADA))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["participant.joined", "status"]
