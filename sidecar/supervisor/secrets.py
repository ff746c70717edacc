"""A room's secrets at rest: references, or sealed with the key of a file; never in the clear.

A value ``env:NAME`` or ``file:/PATH`` is a reference to what the server's environment or disk holds
and is stored as it is. Any other value is sealed with AES-256-GCM (Fernet of ``cryptography``) if
the server has a key file, and is not stored otherwise.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from config.errors import ConfigError

ENVIRONMENT = "env:"
FILE = "file:"
SEALED = "sealed:"
MISSING = "missing:"
"""Stored in place of a value that could not be sealed: the name alone is remembered."""
MAX_SECRET = 65536
"""Bytes of a secret's file."""


@dataclass(frozen=True, slots=True)
class SecretStore:
    """Seals secrets for the journal and opens them again; ``key`` is None without a key file."""

    key: Fernet | None = None

    @classmethod
    def from_file(cls, path: Path | None) -> "SecretStore":
        """The store with the key in ``path`` (32 bytes at least, of any kind).

        Raises ConfigError where the file can't be read or is too short.
        """
        if path is None:
            return cls()
        try:
            secret = path.read_bytes().strip()
        except OSError as error:
            what = f"the key file can't be read: {error.strerror}"
            raise ConfigError(what, where=str(path), do="name a readable file") from error
        if len(secret) < 32:
            do = "write 32 random bytes or more into it: openssl rand -hex 32"
            raise ConfigError("the key is too short", where=str(path), do=do)
        digest = hashlib.sha256(b"reaction-sidecar journal\0" + secret).digest()
        return cls(Fernet(base64.urlsafe_b64encode(digest)))

    def seal(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """What may be written to disk in place of ``secrets``."""
        return {name: self._seal(value) for name, value in secrets.items()}

    def _seal(self, value: str) -> str:
        if value.startswith((ENVIRONMENT, FILE)):
            return value
        if self.key is None:
            return MISSING
        return SEALED + self.key.encrypt(value.encode()).decode()

    def open(self, stored: Mapping[str, str]) -> dict[str, str]:
        """The secrets as they were given to ``seal``; raises ConfigError naming what is gone."""
        return {name: self._open(name, value) for name, value in stored.items()}

    def _open(self, name: str, value: str) -> str:
        if value.startswith(MISSING) or (value.startswith(SEALED) and self.key is None):
            raise ConfigError(
                f"the secret {name} is not known any more",
                where="journal",
                do="make the room again, give env:NAME or file:/PATH, or start the server with "
                "serve.key_file",
            )
        if value.startswith(SEALED) and self.key is not None:
            try:
                return self.key.decrypt(value.removeprefix(SEALED).encode()).decode()
            except InvalidToken:
                raise ConfigError(
                    f"the secret {name} was sealed with another key",
                    where="journal",
                    do="start the server with the key file of that time, or make the room again",
                ) from None
        return value


@dataclass(frozen=True, slots=True)
class SecretReferences:
    """What references may name: a client that may make rooms must not read other files with it."""

    environ: Mapping[str, str]
    variables: frozenset[str]
    """Environment variables that ``env:NAME`` may name."""
    folder: Path | None = None
    """Folder that ``file:PATH`` is looked up in; None allows no files."""

    def resolve(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """``secrets`` with each reference replaced by what it names.

        Raises ConfigError for a variable or file that is not allowed or not there.
        """
        return {name: self._resolve(name, value) for name, value in secrets.items()}

    def _resolve(self, name: str, value: str) -> str:
        if value.startswith(ENVIRONMENT):
            return self._variable(name, value.removeprefix(ENVIRONMENT))
        if value.startswith(FILE):
            return self._file(name, value.removeprefix(FILE))
        return value

    def _variable(self, name: str, variable: str) -> str:
        if variable not in self.variables:
            do = "name it in serve.secret_variables"
            raise ConfigError(f"the variable {variable!r} may not be used", where=name, do=do)
        if variable not in self.environ:
            do = f"set {variable} for the server"
            raise ConfigError(f"the variable {variable} is not set", where=name, do=do)
        return self.environ[variable]

    def _file(self, name: str, text: str) -> str:
        do = "name a small text file in serve.secrets_folder"
        if self.folder is None:
            raise ConfigError("files may not be used as secrets", where=name, do=do)
        folder = self.folder.resolve()
        path = (folder / text).resolve()
        try:
            if not path.is_relative_to(folder) or not path.is_file():
                raise ConfigError("no such file of a secret", where=name, do=do)
            if path.stat().st_size > MAX_SECRET:
                raise ConfigError("the file of the secret is too large", where=name, do=do)
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigError("the file of the secret can't be read", where=name, do=do) from None


@dataclass(frozen=True, slots=True)
class RoomSecrets:
    """The secrets of one room, by name: as its client gave them, or as the journal has them."""

    references: SecretReferences
    store: SecretStore
    stored: Mapping[str, str] = field(repr=False)
    given: Mapping[str, str] | None = field(default=None, repr=False)
    """None for a room of an earlier run."""

    def all(self) -> dict[str, str]:
        """In the clear, as they are now; raises ConfigError naming what is gone."""
        known = self.store.open(self.stored) if self.given is None else self.given
        return self.references.resolve(known)

    def one(self, name: str) -> str:
        """The secret ``name``, in the clear; raises ConfigError where it is gone."""
        if self.given is None:
            known = self.store.open({name: self.stored[name]})
        else:
            known = {name: self.given[name]}
        return self.references.resolve(known)[name]
