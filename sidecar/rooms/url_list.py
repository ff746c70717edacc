"""Several addresses in one argument, with commas, blanks or line ends between them. Pure."""

import re
from typing import Final

SEPARATORS: Final = ", \t\r\n"


def split(text: str, begins: re.Pattern[str]) -> list[str]:
    """The addresses in ``text``, each of which begins as ``begins`` matches.

    A comma or a blank separates two only where another address follows: both may be part of one.
    """
    parts: list[str] = []
    start = 0
    for place in re.finditer(r"[,\s]", text):
        if begins.match(text, place.end()):
            parts.append(text[start : place.start()])
            start = place.end()
    parts.append(text[start:])
    return [part.strip(SEPARATORS) for part in parts if part.strip(SEPARATORS)]
