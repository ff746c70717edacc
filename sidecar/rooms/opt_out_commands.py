"""Chat commands by which participants choose, for every system: on or off, and how easily. Pure."""

import re
from typing import Final

from config.sensitivity import Sensitivity
from sidecar.rooms.base import Consent

HELP: Final = "Write “!reactions off” to be left alone, “!reactions on” to take part."
"""For a system's chat, where the sidecar may say something."""

_COMMAND: Final = re.compile(r"[!/]reactions\s+(on|off)", re.IGNORECASE)

_LEVEL: Final = re.compile(r"[!/]reactions\s+(calm|normal|playful)", re.IGNORECASE)


def sensitivity_command(text: str) -> Sensitivity | None:
    """The sensitivity that a chat message asks for; None where it is no such command."""
    match = _LEVEL.fullmatch(text.strip())
    return None if match is None else Sensitivity(match[1].lower())


def consent_command(text: str) -> Consent | None:
    """What a chat message asks for; None where it is no command."""
    match = _COMMAND.fullmatch(text.strip())
    if match is None:
        return None
    return Consent.OPT_IN if match[1].lower() == "on" else Consent.OPT_OUT
