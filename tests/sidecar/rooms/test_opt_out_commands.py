import pytest

from config.sensitivity import Sensitivity
from sidecar.rooms.base import Consent
from sidecar.rooms.opt_out_commands import HELP, consent_command, sensitivity_command


@pytest.mark.parametrize("text", ["!reactions off", "  /Reactions OFF ", "!reactions\toff\n"])
def test_off_is_an_opt_out(text: str) -> None:
    assert consent_command(text) is Consent.OPT_OUT


def test_on_takes_part_again() -> None:
    assert consent_command("!reactions on") is Consent.OPT_IN


@pytest.mark.parametrize("text", ["", "reactions off", "!reactions", "!reactions offf", HELP])
def test_other_talk_is_no_command(text: str) -> None:
    assert consent_command(text) is None


@pytest.mark.parametrize("level", Sensitivity)
def test_a_level_is_a_choice_of_sensitivity(level: Sensitivity) -> None:
    assert sensitivity_command(f" /Reactions {level.value.upper()} ") is level
    assert consent_command(f"!reactions {level.value}") is None


@pytest.mark.parametrize("text", ["calm", "!reactions", "!reactions off", "!reactions calmer"])
def test_other_talk_chooses_no_sensitivity(text: str) -> None:
    assert sensitivity_command(text) is None
