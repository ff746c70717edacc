"""The rooms of ``sidecar serve``: what runs them, and what they may be."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import SecretStr, ValidationError

from config.errors import CapacityError, ConfigError, SidecarError
from config.serve_settings import ServerWebhook, ServeSettings, StandingRoom
from config.settings import Settings
from config.validation_errors import config_error_from
from sidecar.dispatch.worker import DispatchWorker
from sidecar.dispatch.worker_options import WorkerOptions
from sidecar.inference.detector import Detector
from sidecar.media.ice import configured_servers
from sidecar.redaction import shown_url
from sidecar.rooms.livekit.encryption import KEY_NAMES, read_ring
from sidecar.rooms.livekit.tokens import KEY, SECRET, KeyPair
from sidecar.rooms.memory import MemoryRoom
from sidecar.serve.engine import RoomMaker
from sidecar.serve.plan import ServePlan, journal_file
from sidecar.server.hosted_rooms import HostedRooms, hosted_limits, hosted_name
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.registry import open_event_sink
from sidecar.sinks.sink_url import read_reference
from sidecar.sinks.webhook.dispatcher import DispatchLimits
from sidecar.sinks.webhook.sender import Webhook
from sidecar.sinks.webhook.signature import signing_key
from sidecar.supervisor.admission import CompositeSize, CostTable
from sidecar.supervisor.control import Begin, plain_settings
from sidecar.supervisor.handle import RoomHandle
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.reaction_store import ReactionStore
from sidecar.supervisor.room_keys import is_standing, standing_key
from sidecar.supervisor.room_parts import RoomParts, SupervisorOptions
from sidecar.supervisor.room_urls import check_room_url, public_rule
from sidecar.supervisor.scored_labels import ScoredLabels
from sidecar.supervisor.secrets import SecretReferences, SecretStore
from sidecar.supervisor.supervised_room import RoomLimits
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest
from sidecar.supervisor.webhooks import WebhookOptions

log = structlog.get_logger(__name__)

MEGABYTE: Final = 2**20


@dataclass(frozen=True, slots=True)
class SharedParts:
    """What all rooms share."""

    detector: Detector
    reactions: ReactionStore
    hosted: HostedRooms
    """Has the rooms whose URL is ``room:NAME``; each other room has a process of its own."""
    scored: ScoredLabels
    rooms: RoomMaker
    """Makes the rooms of other meetings."""
    cores: float
    """That there are for all rooms, unless the settings say so."""


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


def make_supervisor(plan: ServePlan, settings: Settings, parts: SharedParts) -> Supervisor:
    """The supervisor that ``settings`` describe, not started yet; raises ConfigError."""
    wanted, reactions = settings.serve, parts.reactions

    def rules(room: str) -> dict[str, Any]:
        found = reactions.table(room)
        return {label: rule.model_dump(mode="json") for label, rule in found.items()}

    def begin(room: str, request: RoomRequest, secrets: Mapping[str, str]) -> Begin:
        values = begin_settings(settings, reactions.folders(room))
        return Begin(
            room=room, request=request, secrets=dict(secrets), settings=values, table=rules(room)
        )

    return Supervisor(
        supervisor_options(settings, plan.environ, parts.cores),
        RoomParts(
            handle_maker(parts.rooms, parts.hosted),
            begin,
            lambda request: check_request(request, reactions.labels),
            detector=parts.detector.stats,
            table=rules,
            labels=reactions.turned_on,
            forget=reactions.forget,
            hosted=name_of_hosted,
            score=parts.scored.require,
            room_tokens=plan.room_tokens and wanted.auth != "none",
        ),
        journal=Journal(journal_file(settings)),
        store=SecretStore.from_file(wanted.key_file),
        references=SecretReferences(
            plan.environ, frozenset(wanted.secret_variables), wanted.secrets_folder
        ),
    )


def make_worker(
    settings: Settings, environ: Mapping[str, str], supervisor: Supervisor
) -> DispatchWorker | None:
    """The worker of the LiveKit server that ``settings`` name, not started yet.

    None where they name none; raises ConfigError where its key or secret is missing, or one of
    end-to-end encryption can't be read.
    """
    wanted = settings.serve.livekit
    if wanted.url is None:
        return None
    keys = environ.get(KEY, "").strip(), environ.get(SECRET, "").strip()
    if not all(keys):
        do = f"set {KEY} and {SECRET} for the server"
        raise ConfigError("the key of the LiveKit server is not set", where="serve.livekit", do=do)
    server = wanted.url.rstrip("/")
    if server.startswith("http"):
        server = f"ws{server.removeprefix('http')}"
    read_ring(environ)
    secrets = {name: environ[name] for name in KEY_NAMES if environ.get(name)}
    options = WorkerOptions(server, KeyPair(*keys), wanted.agent_name, wanted.namespace, secrets)
    return DispatchWorker(options, supervisor)


def handle_maker(rooms: RoomMaker, hosted: HostedRooms) -> Callable[[RoomRequest], RoomHandle]:
    """Makes a room's handle: ``hosted`` has those whose URL is ``room:NAME``."""

    def make(request: RoomRequest) -> RoomHandle:
        return rooms() if name_of_hosted(request) is None else hosted.handle()

    return make


def begin_settings(settings: Settings, stickers: Sequence[Path]) -> dict[str, Any]:
    """The settings of a room's process, with its own folders of stickers."""
    plain = plain_settings(settings)
    folders = [str(folder) for folder in stickers]
    return plain | {"stickers": plain["stickers"] | {"folders": folders}}


def name_of_hosted(request: RoomRequest) -> str | None:
    """The name of a room that this server hosts, None for others; raises ConfigError for none."""
    return hosted_name(request.url)


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


def supervisor_options(
    settings: Settings, environ: Mapping[str, str], cores: float
) -> SupervisorOptions:
    """How rooms are run, by ``settings``; raises ConfigError for a sink or a webhook's secret."""
    check_sinks(settings, environ)
    wanted, composite = settings.serve, settings.composite
    costs = wanted.costs
    return SupervisorOptions(
        cores=wanted.cpu_share * (wanted.cores or cores),
        costs=CostTable(**costs.model_dump()),
        expected_participants=wanted.expected_participants,
        rate=settings.sampling.rate,
        composite=CompositeSize(composite.width, composite.height, composite.fps),
        limits=RoomLimits(wanted.empty_timeout, wanted.media_timeout),
        drain=wanted.drain_timeout,
        max_restarts=wanted.max_restarts,
        restart_window=wanted.restart_window,
        memory_warn=wanted.memory_warn_mb * MEGABYTE,
        memory_limit=wanted.memory_limit_mb * MEGABYTE,
        webhooks=webhook_options(wanted, environ),
    )


def check_sinks(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise ConfigError for a sink of the settings that no room could open."""
    for url in settings.rooms.sinks:
        open_event_sink(url, SinkOptions(MemoryRoom(), environ), where="rooms.sinks")


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


async def open_standing_rooms(supervisor: Supervisor, rooms: Sequence[StandingRoom]) -> None:
    """Join the rooms of the settings file, once each; one that is refused is logged.

    Rooms that the settings named in an earlier run, and name no more or otherwise, are left.
    Raises ConfigError for one that no request could ask for.
    """
    wanted = [(room, _standing_request(room)) for room in rooms]
    keys = {request.idempotency_key for _, request in wanted}
    for found in supervisor.rooms():
        if is_standing(found.request) and found.request.idempotency_key not in keys:
            log.info("standing room left", room=found.id, reason="not in the settings any more")
            await supervisor.delete(found.id)
    for room, request in wanted:
        try:
            await supervisor.create(request)
        except CapacityError as error:
            log.error("standing room not joined", url=shown_url(room.url), reason=str(error))
        except SidecarError as error:
            log.error("standing room refused", url=shown_url(room.url), reason=str(error))


def _standing_request(room: StandingRoom) -> RoomRequest:
    values: dict[str, Any] = room.model_dump(exclude_none=True)
    values["secrets"] = {name: SecretStr(value) for name, value in room.secrets.items()}
    # The same room of an earlier run stands in the journal.
    values["idempotency_key"] = standing_key(room.model_dump_json())
    try:
        return RoomRequest.model_validate(values)
    except ValidationError as error:
        place = f"serve.rooms: {shown_url(room.url)}"
        raise config_error_from(error, RoomRequest, lambda key: f"{place}: {key}") from None
