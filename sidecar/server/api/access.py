"""Who may call the API: the tokens and the issuer that the settings name."""

import ipaddress
import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jwt

from config.errors import ConfigError
from config.serve_settings import ServeSettings
from config.settings import Settings
from sidecar.server.api.tokens import (
    TOKEN_VARIABLE,
    Authenticator,
    JwtIssuer,
    KnownToken,
    environment_tokens,
    known_token,
    make_token,
    read_token_file,
)

MADE_TOKEN: Final = "token"  # noqa: S105
"""File in the server's data folder with the token that it made."""


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Who may call, and what the operator is to be shown of it."""

    authenticator: Authenticator
    shown: str = ""
    """The token that was made, or the file that has it."""


def authenticate(
    settings: Settings,
    environ: Mapping[str, str],
    token_file: Path | None = None,
    *,
    made_file: Path | None = None,
) -> ApiAccess:
    """Who may call. Without any token given, one is made.

    ``token_file`` is in place of ``serve.token_file``. A token that is made stands in
    ``made_file``, from where it is taken the next time; where that is None it is to be shown.
    Raises ConfigError where callers need no token and the server does not listen on loopback, and
    for a file that can't be used.
    """
    wanted = settings.serve
    if wanted.auth == "none":
        if not listens_on_loopback(settings.server.host):
            do = f"listen on 127.0.0.1, or give {TOKEN_VARIABLE} or --token-file"
            raise ConfigError("no token on an address of the network", where="serve.auth", do=do)
        return ApiAccess(Authenticator())
    tokens = environment_tokens(environ)
    file = token_file or wanted.token_file
    if file is not None:
        tokens += read_token_file(file)
    issuer = _issuer(wanted)
    if tokens or issuer is not None:
        return ApiAccess(Authenticator(tuple(tokens), issuer))
    if made_file is not None:
        tokens = read_made_token(made_file)
        return ApiAccess(Authenticator(tuple(tokens)), f"The token is in {made_file}")
    made = make_token()
    return ApiAccess(Authenticator((known_token(made, "made token"),)), f"Token: {made}")


def _issuer(wanted: ServeSettings) -> JwtIssuer | None:
    """The issuer of JWTs that is named; None without one."""
    if wanted.jwks_url is None:
        return None
    keys = jwt.PyJWKClient(wanted.jwks_url, cache_keys=True, timeout=5)
    return JwtIssuer(
        keys,
        wanted.jwt_audience,
        wanted.jwt_issuer,
        wanted.jwt_requests_per_second,
        wanted.jwt_max_bytes,
    )


def read_made_token(file: Path) -> list[KnownToken]:
    """The token of ``file``, which is made, for its owner alone, where it is not there or empty.

    Raises ConfigError where it can't be written or others may read it.
    """
    try:
        if not file.exists() or file.stat().st_size == 0:
            _keep_made_token(file)
        readable = file.stat().st_mode & 0o077
    except OSError as error:
        what = f"no token is given, and the one that was made can't be kept: {error.strerror}"
        do = f"give {TOKEN_VARIABLE} or --token-file"
        raise ConfigError(what, where=str(file), do=do) from error
    if readable:
        do = f"chmod 600, or give {TOKEN_VARIABLE} or --token-file"
        raise ConfigError("others may read this token", where=str(file), do=do)
    return read_token_file(file)


def _keep_made_token(file: Path) -> None:
    """Write a new token to ``file``, whole or not at all; one that appears meanwhile stays."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = file.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        new = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(new, "w") as writer:
            writer.write(f"{make_token()}\n")
            writer.flush()
            os.fsync(new)
        try:
            os.link(partial, file)
        except FileExistsError:
            if file.stat().st_size == 0:
                partial.replace(file)
        except OSError:
            # A file system without hard links.
            partial.replace(file)
    finally:
        with suppress(OSError):
            partial.unlink()


def listens_on_loopback(host: str) -> bool:
    """Whether all addresses of ``host`` are this machine's own."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(str(one[4][0])).is_loopback for one in found)
