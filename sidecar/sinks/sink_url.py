"""The URL of a sink and its options, which stand behind ``#`` and are never sent to a server. Pure.

``webhook+https://HOST/PATH#secret=env:NAME&events=reaction.started`` names a webhook and two
options. Secrets are references: ``env:NAME`` or ``file:PATH``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from config.errors import ConfigError
from sidecar.redaction import shown_url
from sidecar.sinks.base import SinkOptions

ENVIRONMENT: Final = "env:"
FILE: Final = "file:"
LARGEST_FILE: Final = 65536
"""Bytes of a secret's file."""


@dataclass(frozen=True, slots=True)
class SinkUrl:
    """A parsed URL of a sink."""

    parts: SplitResult = field(repr=False)
    """Of the URL without options and without what stands before ``+`` in its scheme."""
    shown: str
    """Without secrets."""
    options: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, url: str, known: Collection[str], *, where: str = "--sink") -> "SinkUrl":
        """Split ``url``; raises ConfigError for what is no URL and for options not ``known``."""
        plain, _, fragment = url.partition("#")
        shown = shown_url(plain)
        try:
            parts = urlsplit(plain.rpartition("+")[2] if "+" in plain.partition(":")[0] else plain)
            parts.port  # noqa: B018
        except ValueError as error:
            raise ConfigError(f"{shown!r} is no URL: {error}", where=where) from None
        options = dict(parse_qsl(fragment, keep_blank_values=True))
        unknown = sorted(set(options) - set(known))
        if unknown or (fragment and not options):
            what = f"{shown!r} has the unknown option {(unknown or [fragment])[0]!r}"
            raise ConfigError(what, where=where, do=f"known are {', '.join(sorted(known))}")
        return cls(parts, shown, options)

    def host(self, *, where: str = "--sink") -> str:
        """The host; raises ConfigError where there is none."""
        if not self.parts.hostname:
            raise ConfigError(f"{self.shown!r} names no host", where=where, do="name one")
        return self.parts.hostname

    def credential(self, option: str, variable: str, options: SinkOptions) -> str | None:
        """The secret that ``option`` refers to, else the one in ``variable``; None without any.

        Raises ConfigError for a reference to what is not there, and for a secret in the clear.
        """
        reference = self.options.get(option)
        if reference is None:
            return options.environ.get(variable)
        if reference.startswith(FILE) and not options.files:
            what = "it is no reference to a secret of the environment"
            raise ConfigError(what, where=option, do="env:NAME")
        return read_reference(reference, options.environ, where=option)


def read_reference(reference: str, environ: Mapping[str, str], *, where: str) -> str:
    """The secret that ``env:NAME`` or ``file:PATH`` names; raises ConfigError for any other text.

    For references of the operator alone: a client must not have files read.
    """
    if reference.startswith(ENVIRONMENT):
        name = reference.removeprefix(ENVIRONMENT)
        if name not in environ:
            raise ConfigError(f"{name} is not set", where=where, do=f"set {name}")
        return environ[name]
    if reference.startswith(FILE):
        return _read_file(Path(reference.removeprefix(FILE)), where)
    raise ConfigError("it is no reference to a secret", where=where, do="env:NAME or file:PATH")


def _read_file(path: Path, where: str) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError("the file of the secret is too large", where=where)
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        what = f"the file of the secret can't be read: {reason}"
        raise ConfigError(what, where=where, do="name a readable text file") from error
