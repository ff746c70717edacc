"""Run many rooms by API: the core of ``sidecar serve``."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp import web
from platformdirs import user_state_path
from pydantic import SecretStr

from config.errors import CapacityError, ConfigError, InferenceError, SidecarError
from config.reaction_rule import ReactionRule
from config.serve_settings import ServerWebhook, ServeSettings, StandingRoom
from config.settings import Settings
from reactions.bundle import ModelBundle
from reactions.labels import LABELS, families_for
from reactions.landmarks.model_manifest import files_of
from sidecar.inference.detector import Detector, LoadPipeline
from sidecar.inference.processes import ProcessDetector
from sidecar.inference.shared import DetectorShare
from sidecar.inference.worker_process import WorkerLimits
from sidecar.media.ice import configured_servers
from sidecar.redaction import shown_url
from sidecar.rooms.memory import MemoryRoom
from sidecar.server.api.access import authenticate
from sidecar.server.api.annotate_endpoints import AnnotateEndpoints
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.endpoints import Endpoint
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources, metrics_registry
from sidecar.server.api.model_endpoints import ModelEndpoints
from sidecar.server.api.operator_page import OperatorEndpoints, operator_routes
from sidecar.server.api.picture_fetcher import PictureFetcher
from sidecar.server.api.reaction_endpoints import ReactionEndpoints
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.snapshot_endpoints import SnapshotEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import (
    Authenticator,
)
from sidecar.server.api.webhook_endpoints import WebhookEndpoints
from sidecar.server.connections import ConnectionCounts
from sidecar.server.event_stream import EventStreams
from sidecar.server.hosted_rooms import (
    SCHEME,
    HostedRooms,
    hosted_limits,
    hosted_name,
    hosted_routes,
)
from sidecar.server.listener import Certificate, HttpListener, connection_limits
from sidecar.server.pages import Pages
from sidecar.server.quotas import ClientQuota
from sidecar.server.telemetry import Telemetry
from sidecar.session.factories import enabled_labels, make_store, pipeline_config
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.registry import open_event_sink
from sidecar.sinks.sink_url import read_reference
from sidecar.sinks.webhook.dispatcher import DispatchLimits
from sidecar.sinks.webhook.sender import Webhook
from sidecar.sinks.webhook.signature import signing_key
from sidecar.supervisor.admission import CostTable
from sidecar.supervisor.bundle_watcher import BundleWatcher
from sidecar.supervisor.child_room import ChildRoom
from sidecar.supervisor.control import Begin, plain_settings
from sidecar.supervisor.cores import usable_cores
from sidecar.supervisor.handle import RoomHandle
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.model_store import BundleStore
from sidecar.supervisor.reaction_store import ReactionStore
from sidecar.supervisor.room_urls import check_room_url, public_rule
from sidecar.supervisor.scored_labels import ScoredLabels
from sidecar.supervisor.secrets import SecretReferences, SecretStore
from sidecar.supervisor.snapshot_cleaner import SnapshotCleaner
from sidecar.supervisor.snapshot_folder import SnapshotFolder
from sidecar.supervisor.supervised_room import RoomLimits
from sidecar.supervisor.supervisor import RoomParts, Supervisor, SupervisorOptions
from sidecar.supervisor.values import RoomRequest
from sidecar.supervisor.webhooks import WebhookOptions

log = structlog.get_logger(__name__)

APPLICATION: Final = "reaction-sidecar"
MEGABYTE: Final = 2**20
SLOTS: Final = 2
"""Samples of one room that are detected at once: more than one lets a second worker help."""


@dataclass(frozen=True, slots=True)
class ServePlan:
    """How to serve, beyond the settings."""

    token_file: Path | None = None
    """In place of ``serve.token_file``."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where ``SIDECAR_API_TOKEN`` and ``env:`` secrets come from."""
    say: Callable[[str], None] = print
    """Shows one line to the operator: the address, and a token that was made."""
    room_tokens: bool = True
    """Participants of hosted rooms need a token, unless the API needs none either."""
    home: bool = False
    """``/`` leads to the first hosted room, and there is no operator's page."""
    bundles: Path | None = None
    """The folder of model bundles; None: in ``serve.data_folder``."""


@dataclass(frozen=True, slots=True)
class RoomsServer:
    """A server that takes requests."""

    supervisor: Supervisor
    hosted: HostedRooms
    listener: HttpListener
    draining: asyncio.Event

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
    make_detector = partial(shared_detector, settings, table)
    async with open_server(plan, settings, table, make_detector) as server:
        await open_standing_rooms(server.supervisor, settings.serve.rooms)
        await server.wait()
        await server.supervisor.drain()


@asynccontextmanager
async def open_server(
    plan: ServePlan,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    make_detector: Callable[[ModelBundle], Detector],
) -> AsyncIterator[RoomsServer]:
    """A server with the detector that ``make_detector`` makes for the bundle of models in use.

    Raises as ``serve`` does.
    """
    authenticator, made = authenticate(settings, plan.environ, plan.token_file)
    async with AsyncExitStack() as stack:
        bundles = BundleStore(plan.bundles or bundles_folder(settings))
        bundle = bundles.at_start()
        detector = await stack.enter_async_context(make_detector(bundle))
        reactions = ReactionStore(data_folder(settings), table, settings.stickers.folders)
        reactions.use_bundle(bundle)
        # What is wrong with the rows of an earlier run is said before anything listens.
        changed = reactions.table()
        hosted = make_hosted_rooms(detector, settings, plan.environ)
        scored = scored_labels(detector, settings, table, bundle)
        supervisor = make_supervisor(plan, settings, table, detector, reactions, hosted, scored)
        wanted, draining = settings.serve, asyncio.Event()
        fetcher = await stack.enter_async_context(picture_fetcher(wanted))
        annotate = make_annotate(detector, changed, settings, fetcher)
        stack.push_async_callback(annotate.aclose)
        sources = metric_sources(supervisor, detector, lambda: listener.connections)
        page = Pages(hosted, changed, reactions.folders())
        changed_table = table_user(annotate, reactions, page)
        more = further_endpoints(sources, annotate, reactions, authenticator, changed_table)
        use = model_user(scored, supervisor, reactions, changed_table)
        models = ModelEndpoints(bundles, use, bundle.name)
        await stack.enter_async_context(BundleWatcher(models.follow))
        snapshots = SnapshotFolder(wanted.snapshots_folder, wanted.snapshots_days)
        await stack.enter_async_context(SnapshotCleaner(snapshots))
        more = (*more, *administration(supervisor, models, snapshots))
        pages = partial(participant_routes, hosted, authenticator, page, home=plan.home)
        app = make_app(sources, more, authenticator, settings, draining.set, pages)
        if wanted.otlp_endpoint is not None:
            await stack.enter_async_context(observe(app, sources, wanted.otlp_endpoint))
        listener = make_listener(app, settings, supervisor)
        await stack.enter_async_context(listener)
        say_where(plan, listener, made)
        yield RoomsServer(supervisor, hosted, listener, draining)


def say_where(plan: ServePlan, listener: HttpListener, made: str | None) -> None:
    """Show the operator where the API is, and the token that was made."""
    plan.say(f"The API is at {listener.url('/v1')} (Ctrl-C ends it)")
    if made is not None:
        plan.say(f"Token: {made}")


def participant_routes(
    hosted: HostedRooms,
    authenticator: Authenticator,
    pages: Pages,
    streams: EventStreams,
    *,
    home: bool,
) -> Sequence[web.AbstractRouteDef]:
    """The routes of hosted rooms, and what ``/`` shows: the operator's page, or ``home``."""
    first = [web.get("/", pages.home)] if home else operator_routes()
    return (*first, *hosted_routes(hosted, pages, authenticator, streams))


def make_listener(app: web.Application, settings: Settings, supervisor: Supervisor) -> HttpListener:
    """Serves ``app``, with ``supervisor`` running; raises ConfigError for half a certificate."""
    wanted = settings.serve
    return HttpListener(
        app,
        settings.server.host,
        settings.server.port,
        inner=supervisor,
        certificate=Certificate.of(wanted.tls_certificate, wanted.tls_key),
        limits=connection_limits(settings.server),
    )


def shared_detector(
    settings: Settings, table: Mapping[str, ReactionRule], bundle: ModelBundle
) -> ProcessDetector:
    """The workers of all rooms and of the annotate service, not started yet."""
    return ProcessDetector(
        bundle_loader(settings, table, bundle),
        workers=settings.serve.workers or max(1, round(usable_cores())),
        limits=WorkerLimits(capacity=3 * settings.sampling.longest**2),
    )


def picture_fetcher(wanted: ServeSettings) -> PictureFetcher:
    """What fetches pictures by URL, not started yet."""
    return PictureFetcher(public_rule(wanted), max_bytes=wanted.max_picture_bytes)


def make_annotate(
    detector: Detector,
    rules: Mapping[str, ReactionRule],
    settings: Settings,
    pictures: PictureFetcher,
) -> AnnotateEndpoints:
    """The annotate service that ``settings`` describe."""
    return AnnotateEndpoints(
        detector,
        rules,
        longest=settings.sampling.longest,
        max_bytes=settings.serve.max_picture_bytes,
        pictures=pictures if settings.serve.picture_urls else None,
    )


def bundle_loader(
    settings: Settings, table: Mapping[str, ReactionRule], bundle: ModelBundle
) -> LoadPipeline:
    """Makes a worker's pipeline with the models of ``bundle``."""
    return pipeline_config(make_store(settings), table, settings, bundle).load


def scored_labels(
    detector: Detector, settings: Settings, table: Mapping[str, ReactionRule], bundle: ModelBundle
) -> ScoredLabels:
    """The labels that ``detector`` scores, and how it gets to score others."""

    def make(bundle: ModelBundle, labels: frozenset[str]) -> LoadPipeline:
        taught = {label.name: label for label in bundle.taught}
        known = labels & LABELS.keys()
        families = families_for(known).union(*(one.spec().families for one in taught.values()))
        make_store(settings).fetch(files_of(families))
        config = pipeline_config(make_store(settings), table, settings, bundle)
        return replace(config, labels=known).load

    async def change(load: LoadPipeline) -> None:
        if not isinstance(detector, ProcessDetector):
            do = 'set sampling.engine = "processes"'
            raise InferenceError("threads keep the models that they loaded", do=do)
        await detector.replace(load)

    return ScoredLabels(enabled_labels(table), bundle, make, change)


def administration(
    supervisor: Supervisor, models: ModelEndpoints, snapshots: SnapshotFolder
) -> Sequence[Endpoint]:
    """Models and snapshots."""
    return (*models.endpoints(), *SnapshotEndpoints(supervisor, snapshots).endpoints())


def model_user(
    scored: ScoredLabels,
    supervisor: Supervisor,
    reactions: ReactionStore,
    changed: Callable[[], None],
) -> Callable[[ModelBundle], Awaitable[None]]:
    """Makes running workers use a bundle, and rooms its thresholds and taught labels."""

    async def use(bundle: ModelBundle) -> None:
        await scored.use(bundle)
        await asyncio.to_thread(reactions.use_bundle, bundle)
        changed()
        await supervisor.change_tables()

    return use


def table_user(
    annotate: AnnotateEndpoints, reactions: ReactionStore, pages: Pages
) -> Callable[[], None]:
    """Makes the annotate service and the rooms' pages follow the server's table."""

    def changed() -> None:
        annotate.change_rules(reactions.table())
        pages.use(reactions.table(), reactions.folders(), reactions.specs)

    changed()
    return changed


def further_endpoints(
    sources: MetricSources,
    annotate: AnnotateEndpoints,
    reactions: ReactionStore,
    authenticator: Authenticator,
    changed: Callable[[], None],
) -> Sequence[Endpoint]:
    """The annotate service, the stickers and reaction tables that it, rooms and their pages follow
    by ``changed``, and what the operator's page needs."""
    tables = ReactionEndpoints(sources.supervisor, reactions, changed)
    operator = OperatorEndpoints(sources, authenticator, lambda: annotate.labels)
    return (*annotate.endpoints(), *tables.endpoints(), *operator.endpoints())


def make_supervisor(
    plan: ServePlan,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    detector: Detector,
    reactions: ReactionStore,
    hosted: HostedRooms,
    scored: ScoredLabels,
) -> Supervisor:
    """The supervisor that ``settings`` describe, not started yet; raises ConfigError.

    ``hosted`` has the rooms whose URL is ``room:NAME``; each other room has a process of its own.
    """
    wanted = settings.serve
    make = handle_maker(detector, hosted, capacity=3 * settings.sampling.longest**2)

    def rules(room: str) -> dict[str, Any]:
        found = reactions.table(room)
        return {label: rule.model_dump(mode="json") for label, rule in found.items()}

    def begin(room: str, request: RoomRequest, secrets: Mapping[str, str]) -> Begin:
        values = begin_settings(settings, reactions.folders(room))
        return Begin(
            room=room, request=request, secrets=dict(secrets), settings=values, table=rules(room)
        )

    def check(request: RoomRequest) -> str:
        return check_request(request, reactions.labels)

    return Supervisor(
        supervisor_options(settings, plan.environ),
        RoomParts(
            *(make, begin, check, detector.stats, rules, reactions.forget, name_of_hosted),
            score=scored.require,
            room_tokens=plan.room_tokens and wanted.auth != "none",
        ),
        journal=Journal(wanted.journal or user_state_path(APPLICATION) / "serve.db"),
        store=SecretStore.from_file(wanted.key_file),
        references=SecretReferences(
            plan.environ, frozenset(wanted.secret_variables), wanted.secrets_folder
        ),
    )


def handle_maker(
    detector: Detector, hosted: HostedRooms, *, capacity: int
) -> Callable[[RoomRequest], RoomHandle]:
    """Makes a room's handle; rooms of other processes share ``detector`` by samples of at most
    ``capacity`` bytes."""

    def share(room: str) -> DetectorShare:
        return DetectorShare(detector, room, slots=SLOTS, capacity=capacity)

    def make(request: RoomRequest) -> RoomHandle:
        own = name_of_hosted(request) is not None
        return hosted.handle() if own else ChildRoom(share=share)

    return make


def begin_settings(settings: Settings, stickers: Sequence[Path]) -> dict[str, Any]:
    """The settings of a room's process, with its own folders of stickers."""
    plain = plain_settings(settings)
    folders = [str(folder) for folder in stickers]
    return plain | {"stickers": plain["stickers"] | {"folders": folders}}


def bundles_folder(settings: Settings) -> Path:
    """Where model bundles are kept, and which one is used."""
    return data_folder(settings) / "models"


def data_folder(settings: Settings) -> Path:
    """Where what clients upload is kept."""
    return settings.serve.data_folder or user_state_path(APPLICATION) / "serve"


def make_hosted_rooms(
    detector: Detector, settings: Settings, environ: Mapping[str, str]
) -> HostedRooms:
    """The hosted rooms that ``settings`` describe, none at first.

    ``environ`` has the secrets of the sinks of all rooms.
    """
    wanted = settings.server
    return HostedRooms(
        detector,
        limits=hosted_limits(wanted),
        ice_servers=configured_servers(wanted.ice_servers),
        share_cameras=wanted.share_cameras,
        environ=environ,
    )


def name_of_hosted(request: RoomRequest) -> str | None:
    """The name of a room that this server hosts, None for others; raises ConfigError for none."""
    return hosted_name(request.url)


def check_sinks(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise ConfigError for a sink of the settings that no room could open."""
    for url in settings.rooms.sinks:
        open_event_sink(url, SinkOptions(MemoryRoom(), environ), where="rooms.sinks")


def check_request(request: RoomRequest, known: Collection[str]) -> str:
    """The URL of ``request`` as it may be shown.

    Raises ConfigError or RefusedError where that may not be joined or published to, or a label is
    not ``known``.
    """
    if name_of_hosted(request) is None:
        check_room_url(request.url)
    for target in request.publish:
        if target.startswith("whip+"):
            check_room_url(target)
    unknown = [one for one in request.labels or () if one not in known]
    if unknown:
        what = f"the label {unknown[0]!r} is not known"
        raise ConfigError(what, where="labels", do="GET /v1/labels lists all")
    return shown_url(request.url)


def supervisor_options(settings: Settings, environ: Mapping[str, str]) -> SupervisorOptions:
    """How rooms are run, by ``settings``; raises ConfigError for a sink or a webhook's secret."""
    check_sinks(settings, environ)
    wanted = settings.serve
    costs = wanted.costs
    return SupervisorOptions(
        cores=wanted.cpu_share * (wanted.cores or usable_cores()),
        costs=CostTable(costs.base, costs.participant, costs.sample, costs.viewer),
        expected_participants=wanted.expected_participants,
        rate=settings.sampling.rate,
        limits=RoomLimits(wanted.empty_timeout, wanted.media_timeout),
        drain=wanted.drain_timeout,
        max_restarts=wanted.max_restarts,
        restart_window=wanted.restart_window,
        memory_warn=wanted.memory_warn_mb * MEGABYTE,
        memory_limit=wanted.memory_limit_mb * MEGABYTE,
        webhooks=webhook_options(wanted, environ),
    )


def webhook_options(wanted: ServeSettings, environ: Mapping[str, str]) -> WebhookOptions:
    """How webhooks are delivered; raises ConfigError where a secret of the settings is gone."""
    return WebhookOptions(
        tuple(server_webhook(one, environ) for one in wanted.webhooks),
        public_rule(wanted),
        DispatchLimits(give_up=wanted.webhook_give_up, backlog=wanted.webhook_backlog),
    )


def server_webhook(wanted: ServerWebhook, environ: Mapping[str, str]) -> Webhook:
    """The webhook of the settings, for all rooms; raises ConfigError for its secret."""

    def secret() -> str:
        return read_reference(wanted.secret, environ, where="serve.webhooks")

    signing_key(secret())
    # What waits on disk names it: another URL is another webhook.
    digest = hashlib.sha256(wanted.url.encode()).hexdigest()
    return Webhook(f"server-{digest[:8]}", wanted.url, secret, frozenset(wanted.events))


def make_app(
    sources: MetricSources,
    more: Sequence[Endpoint],
    authenticator: Authenticator,
    settings: Settings,
    drain: Callable[[], None],
    pages: Callable[[EventStreams], Sequence[web.AbstractRouteDef]],
) -> web.Application:
    """The API over ``sources``: ``more`` endpoints, the routes of ``pages``."""
    supervisor, detector = sources.supervisor, sources.detector

    def faults() -> Sequence[str]:
        alive = detector is not None and detector().workers
        return [] if alive else ["no detection worker is alive"]

    wanted, server = settings.serve, settings.server
    quota = ClientQuota("event streams", server.max_streams, server.max_streams_per_client)
    streams = EventStreams(quota)
    return create_api(
        [
            *RoomEndpoints(supervisor).endpoints(),
            *EventEndpoints(supervisor, streams).endpoints(),
            *WebhookEndpoints(supervisor.webhooks).endpoints(),
            *more,
        ],
        SystemEndpoints(sources, faults=faults, drain=drain),
        authenticator,
        ApiOptions(
            settings.server.host,
            settings.server.origins,
            settings.server.max_body_bytes,
            wanted.requests_per_second,
            settings.server.body_timeout,
            settings.server.proxies,
        ),
        pages(streams),
    )


def metric_sources(
    supervisor: Supervisor, detector: Detector, connections: Callable[[], ConnectionCounts]
) -> MetricSources:
    """What the metrics are read from."""
    return MetricSources(
        supervisor,
        detector.stats,
        (lambda: detector.pids) if isinstance(detector, ProcessDetector) else tuple,
        connections,
    )


def observe(app: web.Application, sources: MetricSources, endpoint: str) -> Telemetry:
    """Telemetry, not started yet, of the requests to ``app`` and of ``sources``."""
    telemetry = Telemetry(endpoint, metrics_registry(sources), sources.supervisor.events)
    app.middlewares.insert(0, telemetry.middleware())
    return telemetry


async def open_standing_rooms(supervisor: Supervisor, rooms: Sequence[StandingRoom]) -> None:
    """Join the rooms of the settings file, once each; one that is refused is logged."""
    for room in rooms:
        values: dict[str, Any] = room.model_dump(exclude_none=True)
        values["secrets"] = {name: SecretStr(value) for name, value in room.secrets.items()}
        # The same room of an earlier run stands in the journal.
        values["idempotency_key"] = f"standing {shown_url(room.url)}"[:128]
        try:
            await supervisor.create(RoomRequest.model_validate(values))
        except CapacityError as error:
            log.error("standing room not joined", url=shown_url(room.url), reason=str(error))
        except SidecarError as error:
            log.error("standing room refused", url=shown_url(room.url), reason=str(error))
