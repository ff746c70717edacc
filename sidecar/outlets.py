"""Where the composite of a joined meeting goes: back into it, to a WHIP server, into a file."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from config.errors import ConfigError
from sidecar.rooms.adapter import JoinOptions
from sidecar.rooms.http_signalling.call import CallOptions
from sidecar.rooms.room import Outlet
from sidecar.rooms.whip import TOKEN, WhipOutlet

ROOM = "room"
NONE = "none"
WHIP = ("whip+https://", "whip+http://")


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
            outlets.append(await stack.enter_async_context(_whip(target, options)))
        elif target != NONE:
            what = f"{target!r} is nowhere to publish to"
            forms = "room, none, whip+https://… or a video file's name"
            raise ConfigError(what, where="--publish", do=forms)
    return outlets


def _whip(target: str, options: JoinOptions) -> WhipOutlet:
    return WhipOutlet(
        target.removeprefix("whip+"),
        token=options.environ.get(TOKEN, ""),
        options=CallOptions(ice_servers=options.ice_servers, relay_only=options.relay_only),
    )
