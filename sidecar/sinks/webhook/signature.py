"""Signatures of webhook deliveries, as the Standard Webhooks specification (1.0) has them. Pure.

The signed text is ``ID.TIMESTAMP.BODY``; the signature is its HMAC-SHA256 in base64 after ``v1,``.
Source: github.com/standard-webhooks/standard-webhooks, ``spec/standard-webhooks.md``.
"""

import base64
import binascii
import hmac
from typing import Final

from config.errors import ConfigError

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
PREFIX: Final = "whsec_"
"""Begins a secret whose rest is base64; any other secret is taken as text."""
SHORTEST: Final = 16
"""Bytes of a secret."""


def signing_key(secret: str) -> bytes:
    """The key of ``secret``; raises ConfigError where it is too short or no base64."""
    do = f"16 bytes or more: {PREFIX}$(openssl rand -base64 32)"
    if secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            what = f"a secret that begins with {PREFIX} continues in base64"
            raise ConfigError(what, where="webhook secret", do=do) from None
    else:
        key = secret.encode()
    if len(key) < SHORTEST:
        raise ConfigError("it is too short", where="webhook secret", do=do)
    return key


def signature_headers(secret: str, delivery: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers of a delivery with the id ``delivery``, sent at ``seconds`` Unix time."""
    signed = b".".join((delivery.encode(), str(seconds).encode(), body))
    digest = hmac.digest(signing_key(secret), signed, "sha256")
    return {
        ID: delivery,
        TIMESTAMP: str(seconds),
        SIGNATURE: f"v1,{base64.b64encode(digest).decode()}",
    }
