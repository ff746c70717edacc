"""How participants opt out (or in) by chat, the same words in every system. Pure."""

import re
from typing import Final

HELP: Final = "Write “!reactions off” to be left alone, “!reactions on” to take part."
"""For a system's chat, where the sidecar may say something."""

_COMMAND: Final = re.compile(r"[!/]reactions\s+(on|off)", re.IGNORECASE)


def opted_out_by(text: str) -> bool | None:
    """What a chat message asks for: True to be left alone, False to take part, else None."""
    match = _COMMAND.fullmatch(text.strip())
    return None if match is None else match[1].lower() == "off"
