"""Parse durations: ``90``, ``90s``, ``2m``, ``1h30m``."""

import re

from config.errors import ConfigError

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_FORM = re.compile(
    r"(?=.)(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?",
    re.ASCII,
)
LONGEST = 30 * 24 * 3600.0
"""A month: more is a slip of the keyboard."""


def parse_duration(text: str) -> float:
    """Seconds of ``text``: hours, minutes and seconds in that order, each optional.

    Raises ConfigError, which names --for, unless it is more than nothing and at most a month.
    """
    match = _FORM.fullmatch(text.strip().lower())
    parts = match.groupdict() if match else {}
    seconds = sum(float(number) * _UNITS[unit] for unit, number in parts.items() if number)
    if not 0 < seconds <= LONGEST:
        raise ConfigError(
            f"{text!r} is not a duration", where="--for", do="such as 90, 90s, 2m or 1h30m"
        )
    return seconds
