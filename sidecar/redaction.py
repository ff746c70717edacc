"""Remove passwords and tokens from URLs and text before they are shown or logged. Pure."""

import re
from typing import Final

from sidecar.plain_text import escape_controls

MAX_SHOWN: Final = 200
"""Characters of an address that is shown."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/*|/*")
_AUTHORITY: Final = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::\d{0,5})?")
_USER: Final = re.compile(r":[^@]*@")
"""In a path: of an address whose scheme is mistyped (``https//user:password@host``)."""
_ROOM_FRAGMENT: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_TRANSPORT: Final = re.compile(r"transport=(?:udp|tcp)", re.IGNORECASE)
"""The query of a TURN server's address, which is no secret."""
_ADDRESS: Final = re.compile(
    r"(?!file:)(?:[A-Za-z][A-Za-z0-9+.-]*:/+|(?:turns?|stuns?):)[^\s\"'<>]+", re.IGNORECASE
)
"""An address in a text, with what is written behind it."""
_PAIR: Final = re.compile(r"[^\s:/@\"'<>()\[\]{},;=]+:(?!/)[^\s@\"'<>]+@(?=[\w\[])")
"""A user and password without a scheme."""
_NAMES: Final = "access_token|token|pin|password|passwd|secret|credential|key|auth|jwt"
_PARAMETER: Final = re.compile(rf"((?:{_NAMES})=)[^\s&#\"'<>]+", re.IGNORECASE)
_FIELD: Final = re.compile(rf"([\"'](?:{_NAMES})[\"']\s*:\s*)(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
"""A field of JSON or of a dict."""
_AUTHORIZATION: Final = re.compile(r"((?:Bearer|Basic) )[A-Za-z0-9._~+/=-]+")


def shown_url(url: str) -> str:
    """Return ``url`` without user, password, query and fragment, and without control characters.

    A mistyped address counts too: all that stands before the last ``@`` is left out where it is no
    plain host, and a port that is no number is taken for a password. The fragment of a WebSocket
    address stays if it looks like the name of a room (LiveKit's ``wss://HOST#ROOM``).
    """
    scheme = _SCHEME.match(url)
    prefix = scheme[0] if scheme else ""
    rest = url[len(prefix) :]
    if prefix == "//" or not prefix.startswith("/"):
        rest = _without_user(rest)
    before, _, fragment = rest.partition("#")
    before, _, query = before.partition("?")
    text = prefix + before
    if _TRANSPORT.fullmatch(query):
        text += f"?{query}"
    if prefix.lower() in ("ws://", "wss://") and _ROOM_FRAGMENT.fullmatch(fragment):
        text += f"#{fragment}"
    return escape_controls(text)[:MAX_SHOWN]


def _without_user(rest: str) -> str:
    """What follows the scheme, without a user and a password."""
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    path = re.split(r"[?#]", rest[len(authority) :], maxsplit=1)[0]
    if _AUTHORITY.fullmatch(authority) and "@" not in authority and not _USER.search(path):
        return rest
    _, at, host = rest.rpartition("@")
    if not at:
        # No host has such a port: it may be a password whose @ was forgotten.
        return authority.partition(":")[0] + ":…" + rest[len(authority) :]
    return _without_user(host)


def redact(text: str) -> str:
    """Return ``text`` (a log line, a reason) without the secrets of addresses and headers in it."""
    text = _ADDRESS.sub(lambda match: _shown_in_text(match[0]), text)
    text = _PAIR.sub("", _FIELD.sub(r"\1…", _PARAMETER.sub(r"\1…", text)))
    return _AUTHORIZATION.sub(r"\1…", text)


def _shown_in_text(address: str) -> str:
    """An address without secrets, and the punctuation that follows it in a text."""
    plain = address.rstrip("),.;:!?]}")
    return shown_url(plain) + address[len(plain) :]


def printable(text: str, *, keep: str = "") -> str:
    """Return ``text`` fit for a terminal, a log or a file: the last step before any output.

    Unsafe characters but those in ``keep`` are escaped, and the secrets of addresses left out.
    """
    return redact(escape_controls(text, keep=keep))
