"""Galène's messages, version 2 of its protocol: JSON in, checked values out. Pure.

Source: ``galene-protocol.md`` and ``rtpconn/webclient.go`` in the server's repository.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aiortc import RTCIceCandidate, RTCIceServer

from sidecar.media.ice import usable_candidate
from sidecar.plain_text import clean_text
from sidecar.rooms.events import Refused
from sidecar.rooms.galene.url import GroupCredentials

PROTOCOL_VERSION: Final = "2"
MAX_MESSAGE: Final = 512 * 1024
"""Bytes. A server's longest message is an offer of a few KiB."""
MAX_SDP: Final = 64 * 1024
"""Characters of a description."""
MAX_ID: Final = 200
"""Characters of an id."""
MAX_TEXT: Final = 2000
"""Characters of a chat message or an error."""
MAX_ITEMS: Final = 32
"""Items of a list."""

_TRANSIENT: Final = frozenset({"internal server error", "too many users", "too many clients"})
_HINTS: Final[Mapping[str, str]] = {
    "need-username": "the group wants a name: set GALENE_USERNAME or --as",
    "username required": "the group wants a name: set GALENE_USERNAME or --as",
    "duplicate-username": "the name belongs to another user: choose another with --as",
    "group does not exist": "check the group's name in the URL",
}
"""What to do about a refusal, by its identifier or its text."""


@dataclass(frozen=True, slots=True)
class GaleneMessage:
    """One message, as ``clientMessage`` in the server: a field of another type counts as absent."""

    type: str
    kind: str = ""
    error: str = ""
    """A stable identifier of an error, where the server has one."""
    id: str = ""
    """Of a stream, of a client, or of the client that did something: the type decides."""
    replace: str = ""
    """The id of the stream that this one replaces."""
    source: str = ""
    """The id of the client that sent it; empty for the server."""
    username: str = ""
    label: str = ""
    privileged: bool = False
    version: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    data_keys: frozenset[str] = frozenset()
    """The keys of the client's own data."""
    value: str = ""
    """A text: of chat, of an error, or the location of a redirect."""
    sdp: str = field(default="", repr=False)
    candidate: RTCIceCandidate | None = field(default=None, repr=False)
    ice_servers: tuple[RTCIceServer, ...] = field(default=(), repr=False)
    relay_only: bool = False
    """Media is to go through a TURN server only."""

    @property
    def text(self) -> str:
        """``value`` on one line, as it may be shown."""
        return clean_text(self.value)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The message in ``text``; None for text that is no message."""
        if len(text) > MAX_MESSAGE:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            return None
        configuration = found.get("rtcConfiguration")
        return cls(
            type=found["type"],
            kind=_text(found, "kind"),
            error=clean_text(_text(found, "error")),
            id=_identifier(found, "id"),
            replace=_identifier(found, "replace"),
            source=_identifier(found, "source"),
            username=_text(found, "username"),
            label=_text(found, "label"),
            privileged=found.get("privileged") is True,
            version=tuple(_texts(found.get("version"))),
            permissions=frozenset(_texts(found.get("permissions"))),
            data_keys=frozenset(_mapping(found.get("data"))),
            value=_text(found, "value"),
            sdp=_description(found),
            candidate=usable_candidate(found.get("candidate")),
            ice_servers=tuple(_ice_servers(configuration)),
            relay_only=_mapping(configuration).get("iceTransportPolicy") == "relay",
        )


def encode_galene_message(message_type: str, /, **fields: object) -> str:
    """A message of ``message_type``, without the fields that are None."""
    return json.dumps(
        {"type": message_type, **{key: value for key, value in fields.items() if value is not None}}
    )


def read_refusal(message: GaleneMessage, credentials: GroupCredentials) -> Refused:
    """The meaning of a ``joined`` message of kind ``fail``.

    Galène has an identifier for few reasons; the text distinguishes the others.
    """
    reason, text = message.error, message.text
    what = f"the group refused the sidecar: {text or reason or 'no reason given'}"
    if text in _TRANSIENT:
        return Refused(what, do="try again later", final=False)
    if "not-authorised" in (reason, text.replace(" ", "-")):
        return Refused(what, do=_credentials_hint(credentials))
    # Any other text is the operator's own, such as why the group is locked.
    return Refused(what, do=_HINTS.get(reason) or _HINTS.get(text, "ask the group's operator"))


def read_kick(message: GaleneMessage) -> Refused:
    """The meaning of a kick: final if a person did it, not if the server is shutting down."""
    by = clean_text(message.username)
    final = bool(message.id)
    reason = message.text or "no reason given"
    what = f"removed from the group{f' by {by}' if by else ''}: {reason}"
    return Refused(what, do="ask the group's operator" if final else "", final=final)


def _credentials_hint(credentials: GroupCredentials) -> str:
    if credentials.token:
        return "the token is wrong, spent or of another group: ask for a new invitation"
    if credentials.password:
        return "check GALENE_USERNAME and GALENE_PASSWORD"
    return "set GALENE_USERNAME and GALENE_PASSWORD, or paste an invitation link"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(message: dict[str, Any], name: str) -> str:
    value = message.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _identifier(message: dict[str, Any], name: str) -> str:
    value = message.get(name)
    return value if isinstance(value, str) and len(value) <= MAX_ID else ""


def _description(message: dict[str, Any]) -> str:
    value = message.get("sdp")
    return value if isinstance(value, str) and len(value) <= MAX_SDP else ""


def _texts(value: object) -> list[str]:
    items = value[:MAX_ITEMS] if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, str)]


def _ice_servers(configuration: object) -> list[RTCIceServer]:
    """The servers of an ``RTCConfiguration``."""
    entries = _mapping(configuration).get("iceServers")
    servers = []
    for entry in map(_mapping, entries[:MAX_ITEMS] if isinstance(entries, list) else ()):
        urls = entry.get("urls")
        names = [urls] if isinstance(urls, str) else _texts(urls)
        if names:
            user, secret = _text(entry, "username"), _text(entry, "credential")
            servers.append(RTCIceServer(names, user or None, secret or None))
    return servers
