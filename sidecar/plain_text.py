"""Clean and escape text from outside: names, reasons, servers' answers, file names. Pure.

A terminal obeys escape sequences, a log line ends where a text has a line break, and a name with a
bidirectional override shows what follows it in another order. So such characters are replaced where
text comes in (``clean_text``) and escaped where text goes out (``escape_controls``).
"""

import re
import unicodedata
from typing import Final

MAX_TEXT: Final = 300
"""Characters of a reason or of a server's words."""
_FORMAT: Final = "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
_UNSAFE: Final = re.compile(rf"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_FORMAT}\U000e0000-\U000e007f]")
"""C0 and C1 controls, lone surrogates, and format characters: bidirectional marks, embeddings,
overrides and isolates, line separators, invisible and tag characters."""
_JOINER: Final = "\u200d"
"""Joins emoji; harmless, and part of names and file names that people use."""


def clean_text(text: object, limit: int = MAX_TEXT) -> str:
    """Return ``text`` on one line of ``limit`` characters at most, without unsafe characters.

    It is normalised (NFC), white space is collapsed, and what has no glyph is left out.
    """
    source = str(text)[: 4 * limit]
    spaced = "".join(" " if char.isspace() else char for char in source)
    kept = "".join(
        char for char in spaced if char == _JOINER or unicodedata.category(char)[0] != "C"
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())[:limit].strip()


def escape_controls(text: str, *, keep: str = "") -> str:
    """Return ``text`` with each unsafe character as a Python escape, such as ``\\\\x1b``.

    Characters in ``keep`` stay. For the last step before a terminal or a log: nothing is lost.
    """
    allowed = keep + _JOINER

    def escape(match: re.Match[str]) -> str:
        char = match[0]
        return char if char in allowed else char.encode("unicode_escape").decode("ascii")

    return _UNSAFE.sub(escape, text)
