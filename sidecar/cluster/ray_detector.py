"""Detection as a Ray Serve deployment, whose replicas follow the load."""

import asyncio
import pickle
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from importlib import metadata
from typing import Any, Final, cast

import ray
import structlog
from ray import serve
from ray.serve.config import AutoscalingConfig, ProxyLocation
from ray.serve.exceptions import RayServeException

from config.errors import InferenceError
from sidecar.aio import Contained, TaskSet, undo_on_failure
from sidecar.captured import Captured
from sidecar.cluster.blocking_calls import BlockingCalls
from sidecar.cluster.environment import worker_environment
from sidecar.cluster.parent_watch import end_with_parent
from sidecar.cluster.ray_connection import RayConnection
from sidecar.cluster.remote_detector import ANSWER, Answered, RemoteDetector, SentSample
from sidecar.cluster.replica import DetectionReplica
from sidecar.inference.detector import DetectorStats, LoadPipeline
from sidecar.inference.messages import sendable

log = structlog.get_logger(__name__)

DEPLOYMENT: Final = "detection"
ONGOING: Final = 64
"""Samples that wait in one replica at most: it serves them fairly, Ray's router does not."""
HEALTH_EVERY: Final = 1.0
"""Seconds between two looks of Ray Serve at a replica."""
HEALTH_TIMEOUT: Final = 5.0
"""Seconds after which a replica that does not answer is replaced, as for a worker process."""
END: Final = 10.0
"""Seconds to end the replicas. Without a control store they are left to the next server."""
COUNT_EVERY: Final = 2.0
"""Seconds between two counts of the replicas."""


@dataclass(frozen=True, slots=True)
class ReplicaScale:
    """How many replicas there are."""

    fewest: int = 1
    most: int = 1
    target: float = 2.0
    """Samples under way in each, waiting ones included, that more replicas are started beyond."""
    cpus: float = 1.0
    """That Ray reserves for each."""
    up: float = 5.0
    """Seconds of load before another is started."""
    down: float = 60.0
    """Seconds of calm before one is ended."""


def app_name(namespace: str) -> str:
    """The Ray Serve application of the server with this namespace."""
    return f"sidecar-{namespace}"


class ReplicaCalls:
    """Asks the replicas of an application; usable in any process of the cluster."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._calls = BlockingCalls(1, "ray handle")
        self._handle: Any = None

    async def __call__(self, sent: SentSample) -> Answered:
        """As ``AskReplica``."""
        if self._handle is None:
            # Asks the controller, which may be away.
            self._handle = await self._calls.run(serve.get_app_handle, self._app)
        answer = await self._handle.detect.remote(sent)
        return cast("Answered", pickle.loads(answer))  # noqa: S301 - from our own replica


class RayReplica(DetectionReplica):
    """A replica in a worker of Ray."""

    def __init__(self, load: LoadPipeline, version: str) -> None:
        end_with_parent()
        super().__init__(load, version)


class RayDetector(RemoteDetector):
    """A detector that deploys its replicas; rooms elsewhere use them by ``ReplicaCalls``.

    ``load`` must be picklable, and the method of a dataclass that says what is loaded. Replicas
    that an earlier server deployed alike are used as they are.
    """

    def __init__(
        self,
        connection: RayConnection,
        load: LoadPipeline,
        *,
        scale: ReplicaScale | None = None,
        slots: int = 1,
        answer: float = ANSWER,
    ) -> None:
        self._app = app_name(connection.namespace)
        super().__init__(ReplicaCalls(self._app), "server", slots=slots, answer=answer)
        self._connection = connection
        self._load = load
        self._scale = scale or ReplicaScale()
        self._replicas = 0
        self._counting = TaskSet()

    async def start(self) -> None:
        """Deploy; raises what loading raises, and InferenceError where no replica comes up."""
        async with undo_on_failure(self.aclose):
            running = await self._connection.run(running_version, self._app)
            if running != replica_version(self._load, self._scale):
                await self.replace(self._load)
            self._replicas = await self._connection.run(count_replicas, self._app)
            await super().start()
            self._counting.create_task(self._count(), name="detection replicas")

    async def aclose(self) -> None:
        """End all calls and all replicas; takes ``END`` seconds at most."""
        await super().aclose()
        await self._counting.aclose()
        with Contained("detection replicas not ended"):
            async with asyncio.timeout(END):
                await self._connection.run(serve.delete, self._app)

    async def replace(self, load: LoadPipeline) -> None:
        """Go on with pipelines that ``load`` makes: replicas are replaced one after another.

        Raises what keeps a new one from being ready, before any is replaced.
        """
        if (error := await self._connection.run(try_load, load)) is not None:
            raise error
        with Captured() as attempt:
            await self._connection.run(deploy, self._app, load, self._scale)
        if attempt.error is not None:
            do = "sidecar doctor, and the cluster's log, say more"
            raise InferenceError(f"no detection replica: {attempt.reason[:300]}", do=do)

    def stats(self) -> DetectorStats:
        """Of what this process sent; ``workers`` are the replicas that run."""
        return replace(super().stats(), workers=self._replicas)

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNT_EVERY)
            with Contained("detection replicas not counted"):
                self._replicas = await self._connection.run(count_replicas, self._app)


def replica_version(load: LoadPipeline, scale: ReplicaScale) -> str:
    """A text that is the same for replicas that are deployed alike, also by another process."""
    config = getattr(load, "__self__", None)
    if config is None or not is_dataclass(config):
        raise ValueError("load must be a method of a dataclass")
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    # A set has another order in each process.
    ordered = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in values.items()
    }
    return f"{metadata.version('reaction-sidecar')} {ordered!r} {scale!r}"


def deploy(app: str, load: LoadPipeline, scale: ReplicaScale) -> None:
    """Start the application, or replace its replicas one after another; blocks until it runs."""
    serve.start(proxy_location=ProxyLocation.Disabled)
    deployment = serve.deployment(RayReplica).options(
        name=DEPLOYMENT,
        max_ongoing_requests=ONGOING,
        ray_actor_options={"num_cpus": scale.cpus, "runtime_env": worker_environment()},
        autoscaling_config=AutoscalingConfig(
            min_replicas=scale.fewest,
            max_replicas=scale.most,
            target_ongoing_requests=scale.target,
            upscale_delay_s=scale.up,
            downscale_delay_s=scale.down,
        ),
        health_check_period_s=HEALTH_EVERY,
        health_check_timeout_s=HEALTH_TIMEOUT,
        graceful_shutdown_wait_loop_s=0.1,
        graceful_shutdown_timeout_s=2.0,
    )
    serve.run(deployment.bind(load, replica_version(load, scale)), name=app, route_prefix=None)


def running_version(app: str) -> str | None:
    """What the replicas that there are have loaded; None where there are none."""
    try:
        handle: Any = serve.get_app_handle(app)
    except RayServeException:
        return None
    with Contained("detection replicas of an earlier server not used"):
        return str(handle.version.remote().result(timeout_s=HEALTH_TIMEOUT))
    return None


def count_replicas(app: str) -> int:
    """Replicas that run."""
    status = serve.status().applications.get(app)
    if status is None or DEPLOYMENT not in status.deployments:
        return 0
    states = status.deployments[DEPLOYMENT].replica_states
    return sum(count for state, count in states.items() if str(state).endswith("RUNNING"))


def try_load(load: LoadPipeline) -> Exception | None:
    """What loading raises on a node of the cluster; None where it works."""
    trial: Callable[[LoadPipeline], bytes] = loading_error
    task = ray.remote(num_cpus=0, max_retries=0, runtime_env=worker_environment())(trial)
    return cast("Exception | None", pickle.loads(ray.get(task.remote(load))))  # noqa: S301


def loading_error(load: LoadPipeline) -> bytes:
    """The pickled exception that loading raises, or None."""
    with Captured() as attempt:
        load()
    return pickle.dumps(None if attempt.error is None else sendable(attempt.error))
