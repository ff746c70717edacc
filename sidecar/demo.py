"""A meeting of mannequins that browsers can join: the core of ``sidecar demo``.

The mannequins are participants like any other: each publishes its clip by WHIP, and the sidecar
knows their frames alone.
"""

import asyncio
import itertools
import os
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self
from urllib.parse import urlencode

import numpy as np

from config.reaction_rule import ReactionRule
from config.settings import Engine, Settings
from reactions.mannequin import CAST, Background, Scene, demonstration
from reactions.mannequin.choreography import Choreography, acting
from reactions.mannequin.clip import render_clip
from reactions.mannequin.pose_file import PoseRecipe, read_pose_file
from sidecar.inference.detector import Detector
from sidecar.media.clip_track import ClipTrack
from sidecar.rooms.whip import WhipPublisher
from sidecar.serve.engine import local_engine
from sidecar.serve.plan import ServePlan, bundles_folder
from sidecar.serve.server import RoomsServer, open_server
from sidecar.session.factories import make_detector, make_store
from sidecar.supervisor.bundle_rows import NO_ROWS, TaughtRows
from sidecar.supervisor.model_store import BundleStore

ROOM: Final = "demo"
DRAIN: Final = 10.0
"""Seconds that participants keep after Ctrl-C."""
EMPTY: Final = 0.5
"""Seconds without participants after which a room that drains is left."""
BACKGROUNDS = tuple(Background)


@dataclass(frozen=True, slots=True)
class Actor:
    """A mannequin with the clip that it plays."""

    name: str
    clip: Path


@dataclass(frozen=True, slots=True)
class Act:
    """What mannequins act out in place of the reactions: a pose that is written down."""

    name: str
    recipe: PoseRecipe

    @classmethod
    def read(cls, path: Path) -> Self:
        """The pose in the TOML file ``path``; raises ConfigError."""
        return cls(path.stem, read_pose_file(path))

    def choreography(self, k: int) -> Choreography:
        """That of the ``k``-th mannequin, who holds the pose in ``_ACTED`` ways."""
        rng = np.random.default_rng([_SEED, k])
        return acting(self.name, [self.recipe.draw(rng).pose for _ in range(_ACTED)], k)


_SEED, _ACTED = 31, 3


def draw_actors(
    count: int, progress: Callable[[float, str], None], acts: Sequence[Act] = ()
) -> list[Actor]:
    """``count`` mannequins with their clips, which are drawn now unless they were before.

    Each acts out every reaction, from a place of its own in the loop, or one of ``acts`` where
    there are some; ``progress`` gets the share done (0–1) and the mannequin's name. Raises
    PictureError where a clip can't be written.
    """
    actors = []
    cast = itertools.cycle(CAST.values())
    for index, person in enumerate(itertools.islice(cast, count)):

        def report(done: int, total: int, before: int = index, name: str = person.name) -> None:
            progress((before + done / total) / count, name)

        scene = Scene(background=BACKGROUNDS[index % len(BACKGROUNDS)])
        play = acts[index % len(acts)].choreography(index) if acts else demonstration(index, count)
        clip = render_clip(person, play, scene, progress=report)
        actors.append(Actor(person.name, clip))
    return actors


@asynccontextmanager
async def hosting(
    settings: Settings,
    table: Mapping[str, ReactionRule],
    detector: Detector,
    room: str = ROOM,
    *,
    say: Callable[[str], None] = lambda line: None,
    bundles: Path | None = None,
    taught: TaughtRows = NO_ROWS,
) -> AsyncIterator[RoomsServer]:
    """A server of one hosted room that all may join, which is live and to which ``/`` leads.

    It is that of ``sidecar serve``, keeps nothing once it has ended, and drains for ``DRAIN``
    seconds at most. ``say`` gets the lines for the operator. The server follows what
    ``sidecar model use`` chooses in ``bundles``; ``detector`` begins with the bundle in use there.
    Raises SidecarError.
    """
    with TemporaryDirectory(prefix="sidecar-demo-") as name:
        folder = Path(name)
        own = {
            "journal": folder / "rooms.db",
            "data_folder": folder,
            "rooms": (),
            "drain_timeout": DRAIN,
            "empty_timeout": EMPTY,
        }
        settings = settings.model_copy(update={"serve": settings.serve.model_copy(update=own)})
        plan = ServePlan(
            environ=os.environ,
            say=say,
            room_tokens=False,
            home=True,
            bundles=bundles,
            taught=taught,
        )
        async with open_server(
            plan, settings, table, local_engine(settings, lambda _: detector)
        ) as server:
            await server.host(room)
            yield server


async def run_demo(
    settings: Settings,
    table: Mapping[str, ReactionRule],
    actors: Sequence[Actor],
    *,
    browser: bool,
    seconds: float | None,
    say: Callable[[str], None] = print,
    taught: TaughtRows = NO_ROWS,
) -> None:
    """Run the meeting for ``seconds`` (for ever if None), with ``actors`` in it; then drain.

    ``say`` gets a line with the page's URL once all of them have joined; ``browser`` opens it.
    Raises SidecarError where the server can't start or a model is missing.
    """
    bundles = bundles_folder(settings)
    bundle = await asyncio.to_thread(BundleStore(bundles).at_start)
    store = make_store(settings)
    detector = make_detector(store, table, settings, engine=Engine.PROCESSES, bundle=bundle)
    async with hosting(
        settings, table, detector, say=say, bundles=bundles, taught=taught
    ) as server:
        async with AsyncExitStack() as stack:
            for actor in actors:
                query = urlencode({"name": actor.name})
                url = server.listener.url(f"/rooms/{ROOM}/whip?{query}")
                await stack.enter_async_context(WhipPublisher(url, ClipTrack(actor.clip)))
            address = server.listener.url(f"/rooms/{ROOM}")
            say(f"The meeting is at {address} (Ctrl-C ends it)")
            if browser:
                # Finding and starting a browser may take seconds.
                await asyncio.to_thread(webbrowser.open, address)
            await server.wait(seconds)
        # The mannequins have left: the room ends once the other participants have, too.
        await server.supervisor.drain()
