"""Find the adapter of a URL among all installed ones (entry points)."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

import aiohttp
import structlog

from config.errors import ConfigError, RoomError
from sidecar.aio import Contained
from sidecar.redaction import shown_url
from sidecar.rooms.base import GROUP, Adapter
from sidecar.rooms.http import open_http

log = structlog.get_logger(__name__)

ASKING = aiohttp.ClientTimeout(total=10)
"""For all requests that tell apart systems whose addresses look the same."""


def adapters() -> list[Adapter]:
    """Every adapter that is installed, by the name of its entry point.

    One that can't be loaded is logged by name and left out; the others work.
    """
    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        adapter = _load(point)
        if adapter is not None:
            found.append(adapter)
    return found


def _load(point: EntryPoint) -> Adapter | None:
    with Contained("adapter not loaded", adapter=point.name, module=point.value):
        adapter: Adapter = point.load()
        return adapter
    return None


async def find_adapter(url: str, known: Sequence[Adapter] | None = None) -> Adapter:
    """The adapter that ``url`` belongs to; servers are asked only where its look leaves a doubt.

    Raises ConfigError where no system takes it.
    """
    known = adapters() if known is None else known
    likely = [adapter for adapter in known if adapter.recognises(url)]
    if not likely:
        forms = ", ".join(form for adapter in known for form in adapter.forms)
        raise ConfigError("no meeting system has URLs of this form", where=shown_url(url), do=forms)
    if len(likely) == 1:
        return likely[0]
    async with open_http(ASKING) as http:
        for adapter in likely:
            if await _confirms(adapter, url, http):
                return adapter
    names = " or ".join(adapter.system for adapter in likely)
    raise ConfigError(
        f"may be a room of {names}, but its server answers like none of them",
        where=shown_url(url),
        do="check the address, and that the server runs and can be reached from here",
    )


async def _confirms(adapter: Adapter, url: str, http: aiohttp.ClientSession) -> bool:
    try:
        return await adapter.confirms(url, http)
    except (aiohttp.ClientError, RoomError, OSError, TimeoutError, ValueError) as error:
        log.debug("not confirmed", system=adapter.system, reason=repr(error))
        return False
