"""``Link`` headers (RFC 8288) that name ICE servers, as RFC 9725 §4.6 has them. Pure.

``<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="c"``: many in
one header, or many headers; what can't be read is left out.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from aiortc import RTCIceServer

MAX_LINKS: Final = 16
"""Servers that are taken from one answer."""
MAX_HEADER: Final = 8192
"""Characters of one header that are looked at."""
_TARGET: Final = re.compile(r"\s*<([^<>\s]{1,1024})>")
_FIELD: Final = re.compile(
    r"""\s*;\s*([\w!#$&+.^`|~-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?"""
)
_QUOTED: Final = re.compile(r'(["\\])')
_NEXT: Final = re.compile(r"\s*,")
_SERVER: Final = re.compile(r"(?:stuns?|turns?):[^\s<>]+", re.IGNORECASE)


def ice_servers(headers: Iterable[str]) -> list[RTCIceServer]:
    """The STUN and TURN servers that ``headers``, the values of ``Link``, offer."""
    servers: list[RTCIceServer] = []
    for header in headers:
        for target, fields in _links(header[:MAX_HEADER]):
            relations = fields.get("rel", "").lower().split()
            if "ice-server" in relations and _SERVER.fullmatch(target):
                servers.append(
                    RTCIceServer(target, fields.get("username"), fields.get("credential"))
                )
    return servers[:MAX_LINKS]


def link_value(server: RTCIceServer) -> str:
    """The value of a ``Link`` header that names ``server``, which has one address."""
    fields = [f"<{server.urls}>", 'rel="ice-server"']
    if server.username is not None and server.credential is not None:
        fields.append(f"username={_quoted(server.username)}")
        fields.append(f"credential={_quoted(server.credential)}")
        fields.append('credential-type="password"')
    return "; ".join(fields)


def _quoted(text: str) -> str:
    escaped = _QUOTED.sub(r"\\\1", text)
    return f'"{escaped}"'


def _links(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each link's target and its fields, of which the first of a name counts."""
    place = 0
    while match := _TARGET.match(header, place):
        target, place = match[1], match.end()
        fields: dict[str, str] = {}
        while field := _FIELD.match(header, place):
            quoted, token = field[2], field[3]
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token or ""
            fields.setdefault(field[1].lower(), value)
            place = field.end()
        yield target, fields
        if not (comma := _NEXT.match(header, place)):
            return
        place = comma.end()
