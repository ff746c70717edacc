"""A meeting of mannequins that browsers can join: the core of ``sidecar demo``.

The mannequins are participants like any other: each publishes its clip by WHIP, and the sidecar
knows their frames alone.
"""

import asyncio
import contextlib
import itertools
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from config.reaction_rule import ReactionRule
from config.settings import Engine, Settings
from reactions.mannequin import CAST, Background, Scene, demonstration
from reactions.mannequin.clip import render_clip
from sidecar.media.clip_track import ClipTrack
from sidecar.rooms.hosted.room import HostedRoom
from sidecar.rooms.whip import WhipPublisher
from sidecar.server.app import hosted_server
from sidecar.session.factories import make_detector, make_stickers, make_store
from sidecar.session.session import Session

ROOM = "demo"
BACKGROUNDS = tuple(Background)


@dataclass(frozen=True, slots=True)
class Actor:
    """A mannequin with the clip that it plays."""

    name: str
    clip: Path


def draw_actors(count: int, progress: Callable[[float, str], None]) -> list[Actor]:
    """``count`` mannequins with their clips, which are drawn now unless they were before.

    Each acts out every reaction, from a place of its own in the loop; ``progress`` gets the share
    done (0–1) and the mannequin's name. Raises PictureError where a clip can't be written.
    """
    actors = []
    cast = itertools.cycle(CAST.values())
    for index, person in enumerate(itertools.islice(cast, count)):

        def report(done: int, total: int, before: int = index, name: str = person.name) -> None:
            progress((before + done / total) / count, name)

        scene = Scene(background=BACKGROUNDS[index % len(BACKGROUNDS)])
        actors.append(
            Actor(person.name, render_clip(person, demonstration(index), scene, progress=report))
        )
    return actors


async def run_demo(
    settings: Settings,
    table: Mapping[str, ReactionRule],
    actors: Sequence[Actor],
    *,
    browser: bool,
    seconds: float | None,
    say: Callable[[str], None] = print,
) -> None:
    """Run the meeting for ``seconds`` (for ever if None), with ``actors`` in it.

    ``say`` gets a line with the page's URL once all of them have joined; ``browser`` opens it.
    Raises SidecarError where the server can't start or a model is missing.
    """
    stickers = make_stickers(table, settings)
    async with AsyncExitStack() as stack:
        detector = await stack.enter_async_context(
            make_detector(make_store(settings), table, settings, engine=Engine.PROCESSES)
        )

        def open_meeting(room: HostedRoom) -> Session:
            return Session(room, detector, stickers, table, settings)

        server = await stack.enter_async_context(
            hosted_server(settings, table, open_meeting, rooms=[ROOM])
        )
        for actor in actors:
            url = server.url(f"/rooms/{ROOM}/whip?{urlencode({'name': actor.name})}")
            await stack.enter_async_context(WhipPublisher(url, ClipTrack(actor.clip)))
        address = server.url(f"/rooms/{ROOM}")
        say(f"The meeting is at {address} (Ctrl-C ends it)")
        if browser:
            # Finding and starting a browser may take seconds.
            await asyncio.to_thread(webbrowser.open, address)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.Event().wait()
