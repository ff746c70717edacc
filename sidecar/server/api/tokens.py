"""Authentication and scopes: bearer tokens from a file or the environment, and signed JWTs.

Tokens are compared by their SHA-256 digests in constant time, so that neither the time of a
comparison nor a memory dump of the table tells a token.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import jwt
import structlog

from config.errors import ConfigError, ForbiddenError, UnauthorizedError

log = structlog.get_logger(__name__)

TOKEN_VARIABLE: Final = "SIDECAR_API_TOKEN"  # noqa: S105
MIN_TOKEN: Final = 16
"""Characters of a token at least: shorter ones can be guessed."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA")
"""Of JWTs. Symmetric ones are left out: a key set is public."""


class Scope(StrEnum):
    """What a token may do."""

    ROOMS = "rooms"
    ANNOTATE = "annotate"
    EVENTS = "events"
    METRICS = "metrics"
    ADMIN = "admin"


EVERYTHING: Final = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, once known."""

    name: str
    """For rate limits and the log: a token's line or a JWT's subject, never the token."""
    scopes: frozenset[Scope]
    rate: float | None = None
    """Requests a second; None: as many as the server lets any token make."""
    max_bytes: int | None = None
    """Of a request's body; None: the server's own limits alone."""

    def require(self, scope: Scope) -> None:
        """Raise ForbiddenError unless the caller may do what needs ``scope``."""
        if scope not in self.scopes:
            what = f"this token lacks the scope {scope.value!r}"
            raise ForbiddenError(what, where="Authorization", do="use a token that has it")


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token's digest, and what it may do."""

    digest: bytes
    caller: Caller


def digest(token: str) -> bytes:
    """The SHA-256 of a token."""
    # Headers that are no UTF-8 come with surrogates.
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def make_token() -> str:
    """A new token of 256 random bits."""
    return secrets.token_urlsafe(32)


MAX_FILE: Final = 1 << 20
"""Characters of a file of tokens."""


def read_token_file(path: Path) -> list[KnownToken]:
    """The tokens of a file: a line each, ``TOKEN [SCOPE …] [rate=N] [bytes=N]``, all scopes if none
    is named; ``rate`` is in requests a second, ``bytes`` is the longest body.

    Blank lines and those that begin with ``#`` are skipped. Raises ConfigError naming file and
    line, never the token.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"the token file can't be read: {reason}", where=str(path)) from error
    if len(text) > MAX_FILE:
        raise ConfigError(f"longer than {MAX_FILE} characters", where=str(path))
    known = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            known.append(known_token(words[0], f"line {number}", words[1:], f"{path}:{number}"))
    if not known:
        raise ConfigError("no token in the file", where=str(path), do="write one on a line")
    return known


def known_token(
    token: str, name: str, scopes: Iterable[str] = (), where: str = TOKEN_VARIABLE
) -> KnownToken:
    """``token`` with the scopes and limits of these words, all scopes if none is named.

    ``name`` is for the log. Raises ConfigError, which names ``where`` it stands, for a short token
    and an unknown word.
    """
    if len(token) < MIN_TOKEN:
        what = f"a token must have at least {MIN_TOKEN} characters"
        raise ConfigError(what, where=where, do="openssl rand -hex 32 makes one")
    words = tuple(scopes)
    limits = dict(_limit(word, where) for word in words if "=" in word)
    try:
        allowed = frozenset(Scope(word) for word in words if "=" not in word) or EVERYTHING
    except ValueError as error:
        do = f"one of {', '.join(Scope)}"
        raise ConfigError(f"unknown scope: {error}", where=where, do=do) from None
    size = limits.get("bytes")
    caller = Caller(name, allowed, limits.get("rate"), None if size is None else int(size))
    return KnownToken(digest(token), caller)


def _limit(word: str, where: str) -> tuple[str, float]:
    name, _, text = word.partition("=")
    if name not in {"rate", "bytes"} or re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", text) is None:
        raise ConfigError(f"no limit: {word[:40]!r}", where=where, do="rate=N or bytes=N")
    if float(text) <= 0:
        raise ConfigError(f"{name} must be above 0", where=where, do="leave it out for no limit")
    return name, float(text)


def environment_tokens(environ: Mapping[str, str]) -> list[KnownToken]:
    """The token of ``SIDECAR_API_TOKEN``, which has every scope; none if it is not set."""
    token = environ.get(TOKEN_VARIABLE, "").strip()
    return [known_token(token, TOKEN_VARIABLE)] if token else []


MAX_LIMIT: Final = 1e9
"""Of limits that a token may have: larger ones are mistakes."""
RATE_CLAIM: Final = "sidecar_rate"
BYTES_CLAIM: Final = "sidecar_bytes"
"""Private claims (RFC 7519 §4.3) of a JWT: what ``rate=`` and ``bytes=`` are in a token file."""


@dataclass(frozen=True, slots=True)
class JwtIssuer:
    """Accepts JWTs signed with a key of ``keys``; their ``scope`` claim names the scopes."""

    keys: jwt.PyJWKClient
    audience: str
    issuer: str | None = None
    rate: float | None = None
    """Requests a second of a JWT that does not claim its own, as in ``Caller``."""
    max_bytes: int | None = None
    """Of a body, as in ``Caller``, where the JWT does not claim its own."""

    async def read(self, token: str) -> Caller:
        """The caller of a token; raises UnauthorizedError for one that is not valid now."""
        try:
            # The key set is fetched over HTTP where it is not cached.
            key = await asyncio.to_thread(self.keys.get_signing_key_from_jwt, token)
            claims = jwt.decode(
                token,
                key.key,
                algorithms=list(ALGORITHMS),
                audience=self.audience,
                issuer=self.issuer,
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise UnauthorizedError(f"the JWT is not valid: {error}") from None
        named = claims.get("scope", "")
        words = named.split() if isinstance(named, str) else []
        scopes = frozenset(Scope(word) for word in words if word in set(Scope))
        rate = _claimed(claims, RATE_CLAIM, self.rate)
        size = _claimed(claims, BYTES_CLAIM, self.max_bytes)
        name = f"jwt {str(claims['sub'])[:64]}"
        return Caller(name, scopes, rate, None if size is None else int(size))


def _claimed(claims: Mapping[str, object], name: str, default: float | None) -> float | None:
    """The limit that a JWT claims; raises UnauthorizedError for one that is no number above 0."""
    value = claims.get(name, default)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < float(str(value)) < MAX_LIMIT:
        raise UnauthorizedError(f"the JWT is not valid: {name} is no number above 0")
    return float(str(value))


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Reads the ``Authorization`` header; without tokens and issuer every caller may do all.

    Such a server must listen on loopback alone: the verb that starts it sees to that.
    """

    tokens: tuple[KnownToken, ...] = ()
    issuer: JwtIssuer | None = None

    @property
    def open(self) -> bool:
        """No token is asked for."""
        return not self.tokens and self.issuer is None

    async def caller(self, token: str | None) -> Caller:
        """The caller with ``token``; raises UnauthorizedError without a valid one."""
        if self.open:
            return Caller("anonymous", EVERYTHING)
        if not token:
            raise UnauthorizedError("a token is required")
        given = digest(token)
        # All are compared, so that the time does not tell which one was nearly right.
        matches = [known for known in self.tokens if hmac.compare_digest(known.digest, given)]
        if matches:
            return matches[0].caller
        if self.issuer is not None and token.count(".") == 2 and token.isascii():
            return await self.issuer.read(token)
        raise UnauthorizedError("the token is not known")


def bearer(header: str | None) -> str | None:
    """The token of an ``Authorization`` header (RFC 6750 §2.1); None if there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
