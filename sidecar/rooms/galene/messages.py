"""Galène's messages, version 2 of its protocol: JSON in, checked values out. Pure.

Source: ``galene-protocol.md`` in the server's repository.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from aiortc import RTCIceCandidate, RTCIceServer
from aiortc.sdp import candidate_from_sdp

MAX_MESSAGE: Final = 512 * 1024
"""Bytes; the longest that a server has reason to send is an offer, a few KiB."""
MAX_SDP: Final = 64 * 1024
MAX_ID: Final = 200
MAX_TEXT: Final = 2000
MAX_ITEMS: Final = 32
VERSION: Final = "2"

Message = Mapping[str, Any]


def read(text: str) -> Message | None:
    """One message; None for what can't be one."""
    if len(text) > MAX_MESSAGE:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def write(message: str, /, **fields: object) -> str:
    """A message of type ``message``, without the fields that are None."""
    return json.dumps(
        {"type": message, **{key: value for key, value in fields.items() if value is not None}}
    )


def identifier(message: Message, field: str = "id") -> str:
    """An id, which is an opaque string; empty where it is missing or can't be one."""
    value = message.get(field)
    return value if isinstance(value, str) and len(value) <= MAX_ID else ""


def line(message: Message, field: str) -> str:
    """A text for people on one line; empty where there is none."""
    value = message.get(field)
    return " ".join(value[:MAX_TEXT].split()) if isinstance(value, str) else ""


def description(message: Message) -> str:
    """The SDP of an offer or an answer; empty where it is missing or too long."""
    value = message.get("sdp")
    return value if isinstance(value, str) and len(value) <= MAX_SDP else ""


def texts(value: object) -> list[str]:
    """The strings in a list, in their order."""
    items = value[:MAX_ITEMS] if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, str)]


def ice_servers(configuration: object) -> list[RTCIceServer]:
    """The servers of an ``rtcConfiguration``; what can't be one is left out."""
    entries = configuration.get("iceServers") if isinstance(configuration, dict) else None
    servers = []
    for entry in entries[:MAX_ITEMS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        urls = entry.get("urls")
        names = [urls] if isinstance(urls, str) else texts(urls)
        if names:
            servers.append(
                RTCIceServer(names, _text(entry, "username"), _text(entry, "credential"))
            )
    return servers


def relayed(configuration: object) -> bool:
    """Whether an ``rtcConfiguration`` asks to send media through a TURN server only."""
    return isinstance(configuration, dict) and configuration.get("iceTransportPolicy") == "relay"


def candidate(value: object) -> RTCIceCandidate | None:
    """The candidate of an ``ice`` message; None for what aiortc can't or needn't try.

    mDNS names are left out: resolving them takes multicast, which containers lack, and the
    server's own checks reach us without.
    """
    if not isinstance(value, dict):
        return None
    text, mid, index = value.get("candidate"), value.get("sdpMid"), value.get("sdpMLineIndex")
    if not isinstance(text, str) or len(text) > MAX_TEXT or ".local " in text:
        return None
    try:
        found = candidate_from_sdp(text.removeprefix("candidate:"))
    except (ValueError, AssertionError, IndexError):
        return None
    found.sdpMid = mid if isinstance(mid, str) else None
    found.sdpMLineIndex = index if isinstance(index, int) else None
    return None if found.sdpMid is None and found.sdpMLineIndex is None else found


def _text(entry: Mapping[str, Any], field: str) -> str | None:
    value = entry.get(field)
    return value if isinstance(value, str) else None
