"""The ``sidecar`` command: its subcommands, and how errors are printed."""

import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from config.errors import SidecarError
from sidecar.cli import (
    annotate,
    config,
    dataset,
    dataset_gathering,
    demo,
    doctor,
    join,
    model,
    models,
    replay,
    serve,
)
from sidecar.redaction import printable

USAGE = 2
"""Exit status for errors that the user can correct."""

app = typer.Typer(
    name="sidecar",
    help="Recognises poses in a meeting and plays the matching sticker over the person.",
    epilog="Every setting, its default and its variable: docs/configuration.md.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("demo", epilog="Example: sidecar demo --act tea.toml --mannequins 1")(demo.command)
app.command("join", epilog="Example: sidecar join 'wss://meet.example.com#standup' --for 1h")(
    join.command
)
app.command("serve", epilog="Example: sidecar serve --port 8080")(serve.command)
app.command("doctor", epilog="Example: sidecar doctor")(doctor.command)
app.command("replay", epilog="Example: sidecar replay tea.mp4 tea-with-stickers.mp4")(
    replay.command
)
app.command("annotate", epilog="Example: sidecar annotate photo.jpg")(annotate.command)
app.command("config")(config.command)
app.add_typer(model.app, name="model")
app.add_typer(models.app, name="models")
dataset.app.add_typer(dataset_gathering.app)
app.add_typer(dataset.app, name="dataset")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"sidecar {version('reaction-sidecar')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options before the command."""


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit status of ``sidecar`` with ``arguments`` (those of this process if None).

    An error that the user can correct is one line on standard error and status 2; Ctrl-C is 130. A
    reader that went away (``| head``) is no error.
    """
    try:
        return app(arguments, prog_name="sidecar", standalone_mode=False) or 0
    except SidecarError as error:
        return _refuse(str(error))
    except typer.TyperException as error:
        return _refuse(error.format_message())
    except typer.Abort:
        return 130
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _refuse("no space left on a disk (free some)")
        if not isinstance(error.filename, str | bytes):
            raise
        return _refuse(f"{os.fsdecode(error.filename)}: {error.strerror}")


def main() -> None:
    """Console entry point."""
    status = run()
    try:
        if sys.stdout is not None:  # None: closed by the parent process.
            sys.stdout.flush()
    except OSError:
        # The reader is gone or the disk full. The interpreter flushes once more on its way out;
        # let it have somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _refuse(message: str) -> int:
    print(f"sidecar: error: {printable(' '.join(message.split()))}", file=sys.stderr)
    return USAGE
