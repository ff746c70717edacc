"""``sidecar doctor``: what works here, what does not, and what to do about it."""

import asyncio
from typing import Annotated

import typer

from sidecar.cli.env_file import SecretsFile, environment
from sidecar.cli.options import ConfigFile, ReactionsFile, RelayOnly, load_configuration
from sidecar.redaction import printable

FAILED = 1
"""Exit status where something does not work."""


def command(
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="A meeting to check as well.")
    ] = None,
    relay_only: RelayOnly = None,
    secrets: SecretsFile = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Check this machine and, with URL, the way to a meeting: server, TLS, joining, media.

    Nothing is published there. The status is 1 where something fails.
    """
    environ = environment(secrets)
    settings, table = load_configuration(config, reactions, {"rooms.relay_only": relay_only})
    from sidecar.doctor import Verdict, examine

    async def checkup() -> bool:
        well = True
        async for check in examine(url, settings, table, environ):
            print(printable(f"{check.verdict:<4}  {check.what}: {check.found}"), flush=True)
            if check.do and check.verdict is not Verdict.FINE:
                print(printable(f"      {check.do}"), flush=True)
            well &= check.verdict is not Verdict.WRONG
        return well

    if not asyncio.run(checkup()):
        raise typer.Exit(FAILED)
