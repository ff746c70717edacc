"""Where detection and the rooms of other meetings run: on this machine, or on a Ray cluster."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from config.errors import ConfigError
from config.reaction_rule import ReactionRule
from config.serve_settings import ServeSettings
from config.settings import Settings
from reactions.bundle import ModelBundle
from sidecar.aio import Contained
from sidecar.cluster.environment import prepare_environment
from sidecar.inference.detector import Detector
from sidecar.inference.shared import DetectorShare
from sidecar.serve.detection import detection_config, sample_bytes, shared_detector
from sidecar.supervisor.admission import Admission
from sidecar.supervisor.bundle_rows import NO_ROWS, TaughtRows
from sidecar.supervisor.child_room import ChildRoom
from sidecar.supervisor.cores import usable_cores
from sidecar.supervisor.handle import RoomHandle
from sidecar.supervisor.room_launcher import ForkServer, Launch, can_fork

SLOTS = 2
"""Samples of one room that are detected at once: more than one lets a second worker help."""
CORES_EVERY = 5.0
"""Seconds between two counts of a cluster's cores."""
RoomMaker: TypeAlias = Callable[[], RoomHandle]
"""A handle for one life of a room, not started yet."""


@dataclass(frozen=True, slots=True)
class ServeEngine:
    """How a server detects, and runs the rooms that it does not host itself."""

    detector: Callable[[ModelBundle], Detector]
    """The detector of the annotate service and of hosted rooms, not started yet."""
    rooms: Callable[[Detector], RoomMaker]
    """Makes rooms that use that detector, or its replicas."""
    cores: Callable[[], Awaitable[float]]
    """Cores that there are for all of them."""


def local_rooms(capacity: int, launch: Launch | None = None) -> Callable[[Detector], RoomMaker]:
    """Rooms in child processes, which share a detector by samples of ``capacity`` bytes at most.

    ``launch`` starts their processes; without it each imports all that it needs.
    """

    def rooms(detector: Detector) -> RoomMaker:
        def share(room: str) -> DetectorShare:
            return DetectorShare(detector, room, slots=SLOTS, capacity=capacity)

        return lambda: ChildRoom(share=share, launch=launch)

    return rooms


async def local_cores() -> float:
    """Cores of this machine that this process may use."""
    return await asyncio.to_thread(usable_cores)


def local_engine(
    settings: Settings,
    make_detector: Callable[[ModelBundle], Detector],
    launch: Launch | None = None,
) -> ServeEngine:
    """Everything on this machine; ``launch`` as for ``local_rooms``."""
    return ServeEngine(make_detector, local_rooms(sample_bytes(settings), launch), local_cores)


@asynccontextmanager
async def open_engine(
    settings: Settings, table: Mapping[str, ReactionRule], rows: TaughtRows = NO_ROWS
) -> AsyncIterator[ServeEngine]:
    """The engine that the settings name; raises ConfigError, and ServerError without a cluster.

    ``rows`` are the user's of labels of bundles.
    """
    if settings.serve.engine == "local":
        detector = partial(shared_detector, settings, table, rows=rows)
        if not can_fork():
            yield local_engine(settings, detector)
            return
        async with ForkServer() as forks:
            yield local_engine(settings, detector, forks.launch)
        return
    if importlib.util.find_spec("ray") is None:
        do = "pip install 'reaction-sidecar[cluster]'"
        raise ConfigError("Ray is not installed", where="serve.engine", do=do)
    prepare_environment()
    from sidecar.cluster.ray_engine import RayEngine

    async with RayEngine(settings.serve) as ray:
        yield ServeEngine(
            lambda bundle: ray.detector(detection_config(settings, table, bundle, rows)),
            lambda _: ray.room,
            ray.cores,
        )


async def follow_cores(
    admission: Admission, engine: ServeEngine, wanted: ServeSettings, every: float = CORES_EVERY
) -> None:
    """Let ``admission`` follow the nodes of a cluster as they come and go, until it is cancelled.

    Nothing is done on one machine, and where the settings say how many cores there are.
    """
    if wanted.engine == "local" or wanted.cores:
        return
    while True:
        await asyncio.sleep(every)
        # The cluster may be away.
        with Contained("cores of the cluster not counted"):
            admission.cores = wanted.cpu_share * await engine.cores()
