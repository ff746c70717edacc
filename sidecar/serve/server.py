"""A server of rooms from start to end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass

from aiohttp import web

from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.bundle import ModelBundle
from sidecar.aio import Contained, TaskSet
from sidecar.dispatch.worker import DispatchWorker
from sidecar.inference.detector import Detector
from sidecar.serve.api import (
    ApiParts,
    make_annotate,
    make_app,
    make_listener,
    make_streams,
    metric_sources,
    table_user,
)
from sidecar.serve.detection import bundle_user, scored_labels
from sidecar.serve.engine import ServeEngine, follow_cores, open_engine
from sidecar.serve.plan import ServePlan, bundles_folder, data_folder
from sidecar.serve.rooms import (
    SharedParts,
    make_hosted_rooms,
    make_supervisor,
    make_worker,
    open_standing_rooms,
)
from sidecar.server.api.access import MADE_TOKEN, authenticate
from sidecar.server.api.metrics import MetricSources, metrics_registry
from sidecar.server.api.model_endpoints import ModelEndpoints
from sidecar.server.api.picture_fetcher import PictureFetcher
from sidecar.server.api.tokens import Authenticator
from sidecar.server.hosted_rooms import SCHEME, HostedRooms
from sidecar.server.listener import HttpListener
from sidecar.server.pages import Pages
from sidecar.server.telemetry import Telemetry
from sidecar.supervisor.bundle_watcher import BundleWatcher
from sidecar.supervisor.model_store import BundleStore
from sidecar.supervisor.reaction_store import ReactionStore
from sidecar.supervisor.room_urls import public_rule
from sidecar.supervisor.snapshot_cleaner import SnapshotCleaner
from sidecar.supervisor.snapshot_folder import SnapshotFolder
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest


@dataclass(frozen=True, slots=True)
class RoomsServer:
    """A server that takes requests."""

    supervisor: Supervisor
    hosted: HostedRooms
    listener: HttpListener
    draining: asyncio.Event
    worker: DispatchWorker | None = None
    """Of a LiveKit server's agents, not started yet."""

    async def host(self, name: str) -> None:
        """Make the hosted room ``name``, and return once it can be joined; raises SidecarError."""
        made, _ = await self.supervisor.create(RoomRequest(url=f"{SCHEME}{name}"))
        await self.supervisor.room(made.id).joined()

    async def wait(self, seconds: float | None = None) -> None:
        """Return when the task is cancelled, draining is asked for, or ``seconds`` are over."""
        with suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(seconds):
                await self.draining.wait()


async def serve(plan: ServePlan, settings: Settings, table: Mapping[str, ReactionRule]) -> None:
    """Serve until the task is cancelled; then drain, for ``serve.drain_timeout`` at most.

    A second cancellation ends draining. Raises ConfigError for what is wrong with the settings,
    ModelError where a model is missing, ServerError where the port can't be had.
    """
    async with (
        open_engine(settings, table, plan.taught) as engine,
        open_server(plan, settings, table, engine) as server,
        TaskSet() as tasks,
    ):
        following = follow_cores(server.supervisor.admission, engine, settings.serve)
        tasks.create_task(following, name="cores of the cluster")
        await open_standing_rooms(server.supervisor, settings.serve.rooms)
        async with server.worker or nullcontext():
            await server.wait()
            await server.supervisor.drain()


@asynccontextmanager
async def open_server(
    plan: ServePlan,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    engine: ServeEngine,
) -> AsyncIterator[RoomsServer]:
    """A server that detects and runs rooms as ``engine`` says, with the bundle of models in use.

    Raises as ``serve`` does.
    """
    access = authenticate(
        settings,
        plan.environ,
        plan.token_file,
        made_file=None if plan.terminal else data_folder(settings) / MADE_TOKEN,
    )
    async with AsyncExitStack() as stack:
        bundles = BundleStore(plan.bundles or bundles_folder(settings))
        bundle = bundles.at_start()
        detector = await stack.enter_async_context(engine.detector(bundle))
        shared = await share_detector(detector, engine, bundle, plan, settings, table)
        supervisor = make_supervisor(plan, settings, shared)
        worker = make_worker(settings, plan.environ, supervisor)
        parts = await _open_parts(
            stack, settings, shared, supervisor, BundleUse(bundles, bundle), access.authenticator
        )
        draining = asyncio.Event()
        sources = metric_sources(
            supervisor, detector, parts.streams, lambda: listener.connections, worker
        )
        app = make_app(sources, parts, settings, drain=draining.set, home=plan.home)
        listener = make_listener(app, settings, supervisor)
        if settings.serve.otlp_endpoint is not None:
            await stack.enter_async_context(observe(app, sources, settings.serve.otlp_endpoint))
        await stack.enter_async_context(listener)
        plan.say(f"The API is at {listener.url('/v1')} (Ctrl-C ends it)")
        if access.shown:
            plan.say(access.shown)
        yield RoomsServer(supervisor, shared.hosted, listener, draining, worker)


@dataclass(frozen=True, slots=True)
class BundleUse:
    """The bundles that there are, and the one in use."""

    store: BundleStore
    used: ModelBundle


async def share_detector(
    detector: Detector,
    engine: ServeEngine,
    bundle: ModelBundle,
    plan: ServePlan,
    settings: Settings,
    table: Mapping[str, ReactionRule],
) -> SharedParts:
    """What all rooms share, with the labels scored that an earlier run had turned on."""
    folders = settings.stickers.folders
    reactions = ReactionStore(data_folder(settings), table, folders, plan.taught)
    reactions.keep_stickers(bundle)
    reactions.use_bundle(bundle)
    scored = scored_labels(detector, settings, table, bundle, plan.taught)
    # What is wrong with the rows of an earlier run is said before anything listens.
    labels = reactions.turned_on()
    with Contained("labels of an earlier run not loaded"):
        await scored.require(labels)
    hosted = make_hosted_rooms(detector, settings, plan.environ)
    # A cluster's control store is asked for them.
    cores = await engine.cores()
    return SharedParts(detector, reactions, hosted, scored, engine.rooms(detector), cores)


async def _open_parts(
    stack: AsyncExitStack,
    settings: Settings,
    shared: SharedParts,
    supervisor: Supervisor,
    bundles: BundleUse,
    authenticator: Authenticator,
) -> ApiParts:
    """What the endpoints are made of; what has a life ends with ``stack``."""
    wanted, rules = settings.serve, shared.reactions.table()
    fetcher = PictureFetcher(public_rule(wanted), max_bytes=wanted.max_picture_bytes)
    await stack.enter_async_context(fetcher)
    annotate = make_annotate(shared.detector, rules, settings, fetcher)
    stack.push_async_callback(annotate.aclose)
    snapshots = SnapshotFolder(wanted.snapshots_folder, wanted.snapshots_days)
    await stack.enter_async_context(SnapshotCleaner(snapshots))
    pages = Pages(shared.hosted, rules, shared.reactions.folders())
    changed = table_user(annotate, shared.reactions, pages)
    use = bundle_user(shared.scored, supervisor, shared.reactions, changed)
    models = ModelEndpoints(bundles.store, use, bundles.used.name)
    await stack.enter_async_context(BundleWatcher(models.follow))
    streams = make_streams(settings)
    return ApiParts(shared, authenticator, annotate, models, snapshots, pages, streams, changed)


def observe(app: web.Application, sources: MetricSources, endpoint: str) -> Telemetry:
    """Telemetry, not started yet, of the requests to ``app`` and of ``sources``."""
    telemetry = Telemetry(endpoint, metrics_registry(sources), sources.supervisor.events)
    app.middlewares.insert(0, telemetry.middleware())
    return telemetry
