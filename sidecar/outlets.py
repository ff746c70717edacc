"""Where the composite of a joined meeting goes: back into it, to a WHIP server, into a file."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from config.errors import ConfigError
from sidecar.rooms.adapter import JoinOptions
from sidecar.rooms.room import Outlet, Publisher
from sidecar.rooms.whip import WhipPublisher

ROOM = "room"
NONE = "none"
WHIP = ("whip+https://", "whip+http://")


class WhipOutlet:
    """Publishes the composite to a WHIP endpoint, from when it is told to until it is left."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()

    async def publish(self, composite: Publisher) -> None:
        """Send it there; raises SignallingError where the server refuses."""
        await self._life.enter_async_context(WhipPublisher(self._url, composite.subscribe()))


async def open_outlets(
    targets: Sequence[str], room: Outlet, options: JoinOptions, stack: AsyncExitStack
) -> list[Outlet]:
    """The outlets that ``targets`` name, entered on ``stack``.

    ``room`` is the joined meeting itself, ``none`` is nothing, ``whip+https://…`` a WHIP endpoint.
    Raises ConfigError for anything else.
    """
    outlets: list[Outlet] = []
    for target in targets:
        if target == ROOM:
            outlets.append(room)
        elif target.startswith(WHIP):
            url = target.removeprefix("whip+")
            outlets.append(await stack.enter_async_context(WhipOutlet(url)))
        elif target != NONE:
            what = f"{target!r} is nowhere to publish to"
            forms = "room, none, whip+https://… or a video file's name"
            raise ConfigError(what, where="--publish", do=forms)
    return outlets
