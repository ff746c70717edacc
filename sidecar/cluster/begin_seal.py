"""The first message of a room as Ray may keep it: compressed and sealed.

Ray writes the arguments of an actor into its control store (and with persistence into Redis), and
shows them to all who may ask the cluster. A room's first message has keys and tokens; it is sealed
with the key of ``serve.key_file`` as the journal's secrets are, and each node opens it with its own
copy of that file.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from pydantic import ValidationError

from config.errors import ConfigError
from sidecar.supervisor.control import Begin
from sidecar.supervisor.secrets import SecretStore

SAME_FILE = "copy the server's serve.key_file to the same path on each node"


@dataclass(frozen=True, slots=True)
class BeginSeal:
    """Seals first messages and opens them with ``key``."""

    key: Fernet

    @classmethod
    def from_file(cls, path: Path | None) -> "BeginSeal":
        """The seal with the key in ``path``; raises ConfigError where there is none."""
        key = SecretStore.from_file(path).key
        if key is None:
            what = "a cluster keeps rooms' secrets sealed, and there is no key"
            do = "set it to a file of 32 random bytes or more: openssl rand -hex 32"
            raise ConfigError(what, where="serve.key_file", do=do)
        return cls(key)

    def seal(self, begin: Begin) -> bytes:
        """What may be handed to Ray in place of ``begin``."""
        return self.key.encrypt(zlib.compress(begin.model_dump_json().encode()))

    def open(self, sealed: bytes) -> Begin:
        """The message that was sealed; raises ConfigError where another key sealed it."""
        try:
            return Begin.model_validate_json(zlib.decompress(self.key.decrypt(sealed)))
        except (InvalidToken, ValidationError):
            what = "a room's first message was sealed with another key or by another version"
            raise ConfigError(what, where="serve.key_file", do=SAME_FILE) from None
