"""Where the composite of a joined meeting goes: back into it, to a WHIP server, into a file."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError
from sidecar.media.compositor.render_loop import PictureListener
from sidecar.media.recorder import Recorder
from sidecar.rooms.base import JoinOptions, VideoSink
from sidecar.rooms.whep.client.session import CallOptions
from sidecar.rooms.whip import TOKEN, WhipOutlet

ROOM = "room"
NONE = "none"
WHIP = ("whip+https://", "whip+http://")


FILES = frozenset({".mkv", ".mov", ".mp4", ".webm"})


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where the encoded composite goes, and who gets its pictures before that."""

    outlets: tuple[VideoSink, ...] = ()
    listeners: tuple[PictureListener, ...] = ()


async def open_outlets(
    targets: Sequence[str], room: VideoSink, options: JoinOptions, fps: int, stack: AsyncExitStack
) -> Outlets:
    """The outlets that ``targets`` name, entered on ``stack``.

    ``room`` is the joined meeting itself, ``none`` is nothing, ``whip+https://…`` a WHIP endpoint,
    and any other name a video file, of ``fps`` pictures a second. Raises ConfigError for what is
    none of these, PictureError for a file that can't be written.
    """
    outlets: list[VideoSink] = []
    listeners: list[PictureListener] = []
    for target in targets:
        if target == ROOM:
            outlets.append(room)
        elif target.startswith(WHIP):
            outlets.append(await stack.enter_async_context(_whip(target, options)))
        elif (path := Path(target)).suffix.lower() in FILES:
            recorder = await stack.enter_async_context(Recorder(path, fps))
            listeners.append(recorder.take)
        elif target != NONE:
            what = f"{target!r} is nowhere to publish to"
            forms = "room, none, whip+https://…, or a file's name such as OUT.mp4"
            raise ConfigError(what, where="--publish", do=forms)
    return Outlets(tuple(outlets), tuple(listeners))


def _whip(target: str, options: JoinOptions) -> WhipOutlet:
    return WhipOutlet(
        target.removeprefix("whip+"),
        token=options.environ.get(TOKEN, ""),
        options=CallOptions(ice_servers=options.ice_servers, relay_only=options.relay_only),
    )
