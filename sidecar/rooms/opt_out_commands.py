"""Chat commands by which participants opt out of reactions or in, for every system. Pure."""

import re
from typing import Final

from sidecar.rooms.base import Consent

HELP: Final = "Write “!reactions off” to be left alone, “!reactions on” to take part."
"""For a system's chat, where the sidecar may say something."""

_COMMAND: Final = re.compile(r"[!/]reactions\s+(on|off)", re.IGNORECASE)


def consent_command(text: str) -> Consent | None:
    """What a chat message asks for; None where it is no command."""
    match = _COMMAND.fullmatch(text.strip())
    if match is None:
        return None
    return Consent.OPT_IN if match[1].lower() == "on" else Consent.OPT_OUT
