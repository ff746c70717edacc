"""How people in a VideoRoom say that they are to be left alone: by name, or by data. Pure.

VideoRooms have no chat of their own. Programs that offer one send it over their publisher's data
channel, as it is or in JSON; and everybody can put the command behind their display name.
"""

import json
import re
from typing import Final

from sidecar.rooms.base import Consent
from sidecar.rooms.opt_out_commands import consent_command

MAX_TEXT: Final = 4096
"""Characters of a message that is looked at; no chat line is longer."""
_TAIL: Final = re.compile(r"^(.*?)\s*([!/]reactions\s+\w+)\s*$", re.IGNORECASE | re.DOTALL)


def said(text: str) -> Consent | None:
    """What a message over a data channel asks for; None where it is no command."""
    if len(text) > MAX_TEXT:
        return None
    if (asked := consent_command(text)) is not None:
        return asked
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    values = fields.values() if isinstance(fields, dict) else ()
    answers = (consent_command(value) for value in values if isinstance(value, str))
    return next((answer for answer in answers if answer is not None), None)


def named(display: str) -> tuple[str, Consent | None]:
    """The name in ``display``, and what the command behind it asks for: ``Ada !reactions off``."""
    match = _TAIL.match(display)
    asked = None if match is None else consent_command(match[2])
    if match is None or asked is None:
        return display, None
    return match[1], asked
