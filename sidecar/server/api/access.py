"""Who may call the API: the tokens and the issuer that the settings name."""

import ipaddress
import socket
from collections.abc import Mapping
from pathlib import Path

import jwt

from config.errors import ConfigError
from config.settings import Settings
from sidecar.server.api.tokens import (
    TOKEN_VARIABLE,
    Authenticator,
    JwtIssuer,
    environment_tokens,
    known_token,
    make_token,
    read_token_file,
)


def authenticate(
    settings: Settings, environ: Mapping[str, str], token_file: Path | None = None
) -> tuple[Authenticator, str | None]:
    """Who may call, and the token that was made because none was given.

    ``token_file`` is in place of ``serve.token_file``.
    Raises ConfigError where callers need no token and the server does not listen on loopback.
    """
    wanted = settings.serve
    if wanted.auth == "none":
        if not listens_on_loopback(settings.server.host):
            do = f"listen on 127.0.0.1, or give {TOKEN_VARIABLE} or --token-file"
            raise ConfigError("no token on an address of the network", where="serve.auth", do=do)
        return Authenticator(), None
    tokens = environment_tokens(environ)
    file = token_file or wanted.token_file
    if file is not None:
        tokens += read_token_file(file)
    issuer = None
    if wanted.jwks_url is not None:
        keys = jwt.PyJWKClient(wanted.jwks_url, cache_keys=True, timeout=5)
        issuer = JwtIssuer(keys, wanted.jwt_audience, wanted.jwt_issuer)
    if tokens or issuer is not None:
        return Authenticator(tuple(tokens), issuer), None
    made = make_token()
    return Authenticator((known_token(made, "made token"),)), made


def listens_on_loopback(host: str) -> bool:
    """Whether all addresses of ``host`` are this machine's own."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(str(one[4][0])).is_loopback for one in found)
