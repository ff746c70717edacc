"""The sidecar in a Janus room."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiortc import RTCIceServer

from sidecar.rooms.base import JoinOptions
from sidecar.rooms.janus.adapter import ADAPTER, JanusAdapter
from tests.sidecar.rooms.attendance import Attendance, entered

NAME = "Reactions"


def options(
    environ: Mapping[str, str] | None = None,
    ice_servers: Sequence[RTCIceServer] = (),
    *,
    relay_only: bool = False,
) -> JoinOptions:
    """The options of a sidecar called ``NAME``."""
    return JoinOptions(NAME, environ or {}, ice_servers=ice_servers, relay_only=relay_only)


@asynccontextmanager
async def attending(
    url: str,
    how: JoinOptions | None = None,
    *,
    publishing: bool = False,
    adapter: JanusAdapter = ADAPTER,
) -> AsyncIterator[Attendance]:
    """Enter the room at ``url``, publishing a grey composite or nothing."""
    async with entered(adapter.room(url, how or options()), publishing=publishing) as attendance:
        yield attendance
