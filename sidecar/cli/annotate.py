"""``sidecar annotate``: what pictures show, one JSON line each."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Final

import typer

from config.errors import PictureError
from sidecar.cli.models import ready_store
from sidecar.cli.options import (
    Bundle,
    ConfigFile,
    ReactionsFile,
    load_with_taught,
    with_chosen_bundle,
)

MAX_LINE: Final = 65536
"""Bytes of one line of a list: no system has longer paths."""


def command(
    pictures: Annotated[
        list[Path] | None, typer.Argument(metavar="PICTURE…", help="Pictures to read.")
    ] = None,
    listing: Annotated[
        Path | None,
        typer.Option("--list", metavar="FILE", help="Take the pictures' paths from FILE's lines."),
    ] = None,
    bundle: Bundle = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Print one JSON line a picture: its labels, best first, and which of them fire.

    A picture that can't be read gives a line with "error"; the others are read. FILE may be - for
    standard input.
    """
    if bool(pictures) == (listing is not None):
        raise typer.BadParameter("name pictures, or a list of them with --list, not both")
    paths = iter(pictures) if pictures else listed(listing or Path("-"))
    given = load_with_taught(config, reactions, {"recognition.bundle": bundle})
    settings, table, models = with_chosen_bundle(*given)
    store = ready_store(settings, table, models)
    from sidecar.annotate import annotate
    from sidecar.session.factories import make_pipeline

    for report in annotate(paths, make_pipeline(store, table, settings, models), table):
        print(report.to_json(), flush=True)


def listed(listing: Path) -> Iterator[Path]:
    """The paths in the lines of ``listing`` (``-``: of standard input), as they come.

    Empty lines are left out; file names need not be UTF-8. Raises PictureError where the list can't
    be read.
    """
    try:
        with nullcontext(sys.stdin.buffer) if str(listing) == "-" else listing.open("rb") as lines:
            while line := lines.readline(MAX_LINE + 1):
                if len(line) > MAX_LINE:
                    do = "write a path on each line"
                    raise PictureError("is no list of paths", where=str(listing), do=do)
                if line.strip():
                    yield Path(os.fsdecode(line.rstrip(b"\r\n")))
    except OSError as error:
        raise PictureError(f"can't be read: {error.strerror}", where=str(listing)) from error
