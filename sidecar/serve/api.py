"""The API of ``sidecar serve`` and the pages beside it: endpoints, application, listener."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from config.reaction_rule import ReactionRule
from config.settings import Settings
from sidecar.dispatch.worker import DispatchWorker
from sidecar.inference.detector import Detector
from sidecar.inference.processes import ProcessDetector
from sidecar.serve.rooms import SharedParts
from sidecar.server.api.annotate_endpoints import AnnotateEndpoints
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.endpoints import Endpoint
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.model_endpoints import ModelEndpoints
from sidecar.server.api.operator_page import OperatorEndpoints, operator_routes
from sidecar.server.api.picture_fetcher import PictureFetcher
from sidecar.server.api.reaction_endpoints import ReactionEndpoints
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.snapshot_endpoints import SnapshotEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator
from sidecar.server.api.webhook_endpoints import WebhookEndpoints
from sidecar.server.connections import ConnectionCounts
from sidecar.server.event_stream import EventStreams
from sidecar.server.hosted_rooms import hosted_routes
from sidecar.server.listener import Certificate, HttpListener, connection_limits
from sidecar.server.pages import Pages
from sidecar.server.quotas import ClientQuota
from sidecar.supervisor.reaction_store import ReactionStore
from sidecar.supervisor.snapshot_folder import SnapshotFolder
from sidecar.supervisor.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class ApiParts:
    """What the endpoints are made of."""

    shared: SharedParts
    authenticator: Authenticator
    annotate: AnnotateEndpoints
    models: ModelEndpoints
    snapshots: SnapshotFolder
    pages: Pages
    streams: EventStreams
    changed: Callable[[], None]
    """To be called once the server's reaction table is another."""


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


def make_streams(settings: Settings) -> EventStreams:
    """The event streams of the API and of hosted rooms together, none at first."""
    server = settings.server
    quota = ClientQuota("event streams", server.max_streams, server.max_streams_per_client)
    return EventStreams(quota)


def metric_sources(
    supervisor: Supervisor,
    detector: Detector,
    streams: EventStreams,
    connections: Callable[[], ConnectionCounts],
    worker: DispatchWorker | None = None,
) -> MetricSources:
    """What the metrics are read from."""
    return MetricSources(
        supervisor,
        detector.stats,
        (lambda: detector.pids) if isinstance(detector, ProcessDetector) else tuple,
        connections,
        lambda: streams.dropped,
        worker,
    )


def table_user(
    annotate: AnnotateEndpoints, reactions: ReactionStore, pages: Pages
) -> Callable[[], None]:
    """Makes the annotate service and the rooms' pages follow the server's table."""

    def changed() -> None:
        annotate.change_rules(reactions.table())
        pages.use(reactions.table(), reactions.folders(), reactions.specs)

    changed()
    return changed


def make_endpoints(sources: MetricSources, parts: ApiParts) -> Sequence[Endpoint]:
    """All endpoints but those of the system itself."""
    supervisor, shared = sources.supervisor, parts.shared
    tables = ReactionEndpoints(supervisor, shared.reactions, shared.scored, parts.changed)
    operator = OperatorEndpoints(sources, parts.authenticator, lambda: parts.annotate.labels)
    return (
        *RoomEndpoints(supervisor).endpoints(),
        *EventEndpoints(supervisor, parts.streams).endpoints(),
        *WebhookEndpoints(supervisor.webhooks).endpoints(),
        *parts.annotate.endpoints(),
        *tables.endpoints(),
        *operator.endpoints(),
        *parts.models.endpoints(),
        *SnapshotEndpoints(supervisor, parts.snapshots).endpoints(),
    )


def page_routes(parts: ApiParts, *, home: bool) -> Sequence[web.AbstractRouteDef]:
    """The routes of hosted rooms, and what ``/`` shows: the operator's page, or the first room."""
    pages = parts.pages
    first = [web.get("/", pages.home)] if home else operator_routes()
    hosted = hosted_routes(parts.shared.hosted, pages, parts.authenticator, parts.streams)
    return (*first, *hosted)


def make_app(
    sources: MetricSources,
    parts: ApiParts,
    settings: Settings,
    *,
    drain: Callable[[], None],
    home: bool,
) -> web.Application:
    """The API and the pages; ``drain`` is called where that is asked for."""
    detector = parts.shared.detector

    def faults() -> Sequence[str]:
        return [] if detector.stats().workers else ["no detection worker is alive"]

    server = settings.server
    return create_api(
        make_endpoints(sources, parts),
        SystemEndpoints(sources, faults=faults, drain=drain),
        parts.authenticator,
        ApiOptions(
            server.host,
            server.origins,
            server.max_body_bytes,
            settings.serve.requests_per_second,
            server.body_timeout,
            server.proxies,
        ),
        page_routes(parts, home=home),
    )


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
