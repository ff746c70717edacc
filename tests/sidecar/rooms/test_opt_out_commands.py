import pytest

from sidecar.rooms.opt_out_commands import HELP, opted_out_by


@pytest.mark.parametrize("text", ["!reactions off", "  /Reactions OFF ", "!reactions\toff\n"])
def test_off_leaves_somebody_alone(text: str) -> None:
    assert opted_out_by(text) is True


def test_on_takes_part_again() -> None:
    assert opted_out_by("!reactions on") is False


@pytest.mark.parametrize("text", ["", "reactions off", "!reactions", "!reactions offf", HELP])
def test_other_talk_is_no_command(text: str) -> None:
    assert opted_out_by(text) is None
