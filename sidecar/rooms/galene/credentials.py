"""Who the sidecar is to a group: a name, and a password or a token. Never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a group asks for before it lets anybody in."""

    username: str
    """Everybody sees it: Galène has no hidden participants."""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def secret(self) -> bool:
        """Whether there is anything that must not be told to just any server."""
        return bool(self.password or self.token)

    def fields(self) -> dict[str, str]:
        """The fields of a ``join`` that prove them; a token goes before a password."""
        if self.token:
            return {"username": self.username, "token": self.token}
        return {"username": self.username, "password": self.password}


def read_credentials(name: str, environ: Mapping[str, str], invitation: str) -> Credentials:
    """What the environment and the ``invitation`` link's token make of ``name``.

    Raises ConfigError if it can't be clear which of them is meant.
    """
    password = environ.get("GALENE_PASSWORD", "")
    token = invitation or environ.get("GALENE_TOKEN", "")
    if token and password:
        raise ConfigError(
            "both a token and GALENE_PASSWORD are given", do="unset GALENE_PASSWORD or the token"
        )
    return Credentials(environ.get("GALENE_USERNAME") or name, password, token)
