"""What works here and what does not, check by check: the core of ``sidecar doctor``."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from config.reaction_rule import ReactionRule
from config.settings import Settings
from sidecar.doctor.check import Check, Verdict
from sidecar.doctor.machine import machine_checks
from sidecar.doctor.meeting import meeting_checks

__all__ = ["Check", "Verdict", "examine"]


async def examine(
    url: str | None,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    environ: Mapping[str, str],
) -> AsyncGenerator[Check, None]:
    """Look at this machine and, if ``url`` is given, at the meeting there, as a watcher of it.

    Checks come as they are made; one that needs an earlier one is left out if that failed.
    """
    async with aclosing(machine_checks(settings, table)) as checks:
        async for check in checks:
            yield check
    if url is not None:
        async with aclosing(meeting_checks(url, settings, environ)) as checks:
            async for check in checks:
                yield check
