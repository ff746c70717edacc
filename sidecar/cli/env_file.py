"""Keys, tokens and passwords for meetings: from the environment, or from a file over it."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from config.errors import ConfigError

MOST_SECRETS = 64 * 1024
"""Bytes of a file of secrets."""

SecretsFile = Annotated[
    Path | None,
    typer.Option(
        "--secrets",
        metavar="FILE",
        help="Keys and tokens as NAME=VALUE lines, over the environment's.",
    ),
]


def environment(secrets: Path | None) -> Mapping[str, str]:
    """The environment with what the file ``secrets`` says over it; raises ConfigError."""
    return {**os.environ, **({} if secrets is None else read_secrets(secrets))}


def read_secrets(path: Path) -> Mapping[str, str]:
    """The variables in a file of ``NAME=VALUE`` lines; raises ConfigError, never with a value."""
    from dotenv import dotenv_values

    try:
        if path.stat().st_size > MOST_SECRETS:
            raise ConfigError(
                f"{path} has more than {MOST_SECRETS} bytes",
                where="--secrets",
                do="write NAME=VALUE, a line each",
            )
        if path.is_dir():
            # Of a folder, dotenv has no variables.
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        values = dotenv_values(path, interpolate=False, encoding="utf-8")
    except OSError as error:
        what = f"{path} can't be read: {error.strerror}"
        raise ConfigError(what, where="--secrets", do="name a file of yours") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text", where="--secrets") from error
    return {name: value for name, value in values.items() if value is not None}
