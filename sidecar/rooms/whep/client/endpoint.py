"""Addresses of WHIP and WHEP endpoints. Pure."""

import base64
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit, urlunsplit

from config.errors import ConfigError
from sidecar.redaction import shown_url


class EndpointKind(StrEnum):
    """Which way the pictures go."""

    WHIP = "whip"
    """To the server."""
    WHEP = "whep"
    """From the server."""


@dataclass(frozen=True, slots=True)
class WhipEndpoint:
    """Where offers are posted."""

    kind: EndpointKind
    url: str = field(repr=False)
    """Without user, password and fragment; its query may hold a token."""
    authorization: str = field(default="", repr=False)
    """The value of the header that proves who we are; empty for none."""


def endpoint(kind: EndpointKind, url: str, token: str = "") -> WhipEndpoint:
    """The endpoint at ``url`` (with or without ``whip+`` or ``whep+`` before it).

    A user and password in ``url`` are sent as such, a ``token`` as a bearer token. Raises
    ConfigError for what is no such address.
    """
    text = url.strip().removeprefix(f"{kind.value}+")
    form = f"{kind.value}+https://HOST/PATH"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError("isn't the address of a server", where=form) from error
    if parts.scheme not in ("http", "https") or not host or "\\" in text:
        raise ConfigError(
            "isn't the address of a server", where=shown_url(text), do=f"write {form}"
        )
    if ":" in host:
        host = f"[{host}]"
    plain = urlunsplit(
        (parts.scheme, host if port is None else f"{host}:{port}", parts.path, parts.query, "")
    )
    if parts.username is not None or parts.password is not None:
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        return WhipEndpoint(kind, plain, f"Basic {base64.b64encode(pair.encode()).decode()}")
    if not token:
        return WhipEndpoint(kind, plain)
    if not (token.isascii() and token.isprintable()) or " " in token:
        name = f"{kind.value.upper()}_TOKEN"
        raise ConfigError("isn't a token: it holds other signs than tokens do", where=name)
    return WhipEndpoint(kind, plain, f"Bearer {token}")
