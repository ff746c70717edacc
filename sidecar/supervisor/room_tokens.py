"""The token of a hosted room, which lets participants in; only its digest is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from config.errors import ConfigError

ROOM_TOKEN: Final = "ROOM_TOKEN"  # noqa: S105
"""Its name among the ``secrets`` of a room."""
MIN_TOKEN: Final = 16
"""Characters: shorter ones can be guessed."""
_DIGEST: Final = "sha256:"


def issue_token(
    given: Mapping[str, str], resolved: Mapping[str, str]
) -> tuple[dict[str, str], str]:
    """The secrets ``given`` for a hosted room with its token as digest, and the token to answer.

    A token that the client gave is not answered again: it is empty then. References stay as they
    are; ``resolved`` has what they name. Raises ConfigError for a token that is too short.
    """
    if ROOM_TOKEN not in given:
        token = secrets.token_urlsafe(32)
        return {**given, ROOM_TOKEN: _described(token)}, token
    if len(resolved[ROOM_TOKEN]) < MIN_TOKEN:
        what = f"the secret {ROOM_TOKEN} must have at least {MIN_TOKEN} characters"
        raise ConfigError(what, where="secrets", do="leave it out, and one is made")
    is_reference = given[ROOM_TOKEN] != resolved[ROOM_TOKEN]
    kept = given[ROOM_TOKEN] if is_reference else _described(given[ROOM_TOKEN])
    return {**given, ROOM_TOKEN: kept}, ""


def stored_secrets(given: Mapping[str, str], sealed: Mapping[str, str]) -> dict[str, str]:
    """What the journal gets: ``sealed``, with the digest of a room's token as it is."""
    token = given.get(ROOM_TOKEN, "")
    return {**sealed, **({ROOM_TOKEN: token} if token.startswith(_DIGEST) else {})}


def token_digest(token: str) -> bytes:
    """The SHA-256 of a room's token, which is given plain or as ``issue_token`` keeps it."""
    if token.startswith(_DIGEST):
        return bytes.fromhex(token.removeprefix(_DIGEST))
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def is_token(token: str, digest: bytes) -> bool:
    """Whether ``token``, which a client shows, has this digest; in constant time."""
    shown = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
    return hmac.compare_digest(shown, digest)


def _described(token: str) -> str:
    return _DIGEST + hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
