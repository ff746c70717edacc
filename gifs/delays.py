"""Read the delays of the frames of a GIF, WebP or APNG."""

from typing import Final

SHORTEST: Final = 0.01
"""Seconds that no browser believes: delays up to this one are shown for ``USUAL``."""
USUAL: Final = 0.1
"""Chromium, Firefox and WebKit replace short delays by this (WebKit bug 14413)."""


def shown_seconds(milliseconds: float) -> float:
    """Seconds for which browsers show a frame whose file gives it ``milliseconds`` (0: none)."""
    seconds = milliseconds / 1000
    return USUAL if seconds <= SHORTEST else seconds
