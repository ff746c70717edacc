"""The settings of ``sidecar serve``: admission, limits, secrets and standing rooms."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from config.section import Section


class RoomCosts(Section):
    """Shares of a core that a room's parts cost: ``python -m bench serve_rooms`` measures them."""

    base: float = Field(ge=0, le=64)
    """A room's process, without composite and participants."""
    composite: float = Field(ge=0, le=64)
    """Drawing and encoding 1280x720 at 25 frames a second; others go by their pixels a second."""
    participant: float = Field(ge=0, le=64)
    """Receiving and drawing one camera."""
    sample: float = Field(ge=0, le=64)
    """One sample a second of one participant."""
    viewer: float = Field(ge=0, le=64)
    """One further viewer."""


class ServerWebhook(Section):
    """An HTTP server that gets the events of all rooms."""

    url: str = Field(max_length=2048, pattern=r"^https?://[^\s/?#]+\S*$")
    """Where deliveries are sent."""
    secret: str = Field(pattern=r"^(env:|file:).+$")
    """``env:NAME`` or ``file:PATH`` of what signs them: 16 bytes or more."""
    events: tuple[str, ...] = ()
    """Kinds of events that are sent; all but ``reaction.progress`` if not given."""


class StandingWebhook(Section):
    """An HTTP server that gets the events of one standing room."""

    url: str = Field(max_length=2048, pattern=r"^https?://[^\s/?#]+\S*$")
    """Where deliveries are sent."""
    secret: str = "WEBHOOK_SECRET"  # noqa: S105
    """The name, in the room's ``secrets``, of what signs them."""
    events: tuple[str, ...] | None = None
    """Kinds of events that are sent; all but ``reaction.progress`` if not given."""


class StandingRoom(Section):
    """A room that is joined when the server starts."""

    url: str = Field(min_length=1, max_length=2048)
    """The meeting's URL."""
    name: str | None = None
    """Display name of the sidecar."""
    publish: tuple[str, ...] = ("room",)
    """``room``, ``none`` or ``whip+https://…``."""
    labels: tuple[str, ...] | None = None
    """Labels to recognise; all that are on if not given."""
    rate: float | None = Field(None, gt=0, le=30)
    """Samples a second of each participant."""
    consent: Literal["all", "opt-in"] | None = None
    """``opt-in`` samples no participant before they agree."""
    sinks: tuple[str, ...] = ()
    """``eyeson:…``; sinks of other kinds are those of all rooms, ``rooms.sinks``."""
    webhooks: tuple[StandingWebhook, ...] = ()
    """Where the room's events go."""
    secrets: dict[str, str] = Field(default_factory=dict)
    """``env:NAME`` or ``file:PATH`` by the names of the adapter's documentation."""


class LiveKitDispatch(Section):
    """Rooms that a LiveKit server dispatches to this server: docs/dispatch.md."""

    url: str | None = Field(None, max_length=2048, pattern=r"^(wss?|https?)://[^\s/?#]+[^\s?#]*$")
    """The LiveKit server, `wss://HOST`; without it none is asked for rooms. Its key and secret are
    LIVEKIT_API_KEY and LIVEKIT_API_SECRET."""
    agent_name: str = Field(min_length=1, max_length=256)
    """The name that dispatches give; servers with the same name share its rooms."""
    namespace: str = Field(max_length=256)
    """LiveKit's namespace of agents; empty on servers that do not use it."""


class ClusterSettings(Section):
    """The Ray cluster of ``serve.engine = "ray"``."""

    address: str = Field(min_length=1, max_length=256)
    """``HOST:PORT`` of its head; ``auto`` is the cluster that this machine is a node of."""
    namespace: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    """Of this server's rooms: another server of the same cluster needs another."""
    room_cpus: float = Field(ge=0, le=64)
    """CPUs that Ray reserves where it places a room; admission counts what rooms cost."""
    replica_cpus: float = Field(ge=0, le=64)
    """CPUs that Ray reserves for a replica of detection."""
    min_replicas: int = Field(ge=1, le=1024)
    """Replicas of detection that there are always."""
    max_replicas: int = Field(ge=1, le=1024)
    """Replicas of detection under load."""
    target_requests: float = Field(gt=0, le=64)
    """Samples under way in one replica, waiting ones included, beyond which there is another."""
    orphan_timeout: float = Field(ge=10, le=86_400)
    """Seconds without a server after which a room leaves by itself."""


class ServeSettings(Section):
    """The server of many rooms."""

    auth: Literal["token", "none"]
    """``none`` asks for no token, and is allowed on loopback alone."""
    token_file: Path | None = None
    """Tokens, one a line: ``TOKEN [SCOPE …]`` of rooms, annotate, events, metrics and admin."""
    jwks_url: str | None = Field(None, pattern=r"^https?://\S+$")
    """Key set of an issuer of JWTs, which are taken as tokens then."""
    jwt_audience: str
    """The audience that a JWT must name."""
    jwt_issuer: str | None = None
    """The issuer that a JWT must name."""
    jwt_requests_per_second: float | None = Field(None, gt=0, le=10_000)
    """Requests of one JWT without the claim ``sidecar_rate``; those of all tokens if not given."""
    jwt_max_bytes: int | None = Field(None, ge=1, le=2**30)
    """Longest body with a JWT without the claim ``sidecar_bytes``."""
    requests_per_second: float = Field(gt=0, le=10_000)
    """Requests of one token; bursts may be four times as many."""
    tls_certificate: Path | None = None
    """PEM file; with ``tls_key``, HTTPS is served and the files are read again when they change."""
    tls_key: Path | None = None
    """PEM file of the certificate's key."""
    journal: Path | None = None
    """File of the wanted rooms. Default: the platform's state folder."""
    data_folder: Path | None = None
    """Folder of uploaded stickers, changed reaction tables, model bundles and snapshots. Default:
    in the platform's state folder."""
    snapshots_folder: Path | None = None
    """Folder that snapshots are written to; without it they are answered and not kept."""
    snapshots_days: int = Field(ge=1, le=3650)
    """Days after which the server deletes them."""
    key_file: Path | None = None
    """File with 32 bytes or more; seals secrets in the journal. Without it they are not stored."""
    secrets_folder: Path | None = None
    """Folder that ``file:PATH`` secrets are read from; without it there are none."""
    secret_variables: tuple[str, ...]
    """Environment variables that ``env:NAME`` secrets may name."""
    cores: float = Field(ge=0, le=1024)
    """Cores that may be used; 0 takes those of this machine or of its container's quota,
    or of the cluster's nodes."""
    cpu_share: float = Field(gt=0, le=1)
    """Share of those for rooms; the rest is for the server and the system."""
    costs: RoomCosts
    """Shares of a core by which rooms are admitted: base, composite (of 1280x720@25), participant,
    sample (one a second), viewer."""
    expected_participants: int = Field(ge=1, le=49)
    """Participants that a room is reserved for before it is measured."""
    workers: int = Field(ge=0, le=64)
    """Detection processes shared by all rooms; 0 takes one a core."""
    drain_timeout: float = Field(ge=0, le=86_400)
    """Seconds after SIGTERM after which rooms that are still running are ended."""
    empty_timeout: float = Field(gt=0, le=86_400)
    """Seconds without participants after which a room is left."""
    media_timeout: float = Field(gt=0, le=86_400)
    """Seconds without a frame of any participant after which a room is left."""
    max_restarts: int = Field(ge=0, le=100)
    """Restarts of a room's process within ``restart_window``; then the room is failed."""
    restart_window: float = Field(gt=0, le=3600)
    """Seconds."""
    memory_warn_mb: int = Field(ge=0, le=1_000_000)
    """Memory of one process, a room's or a detection worker, that is logged as a warning; 0: none.
    """
    memory_limit_mb: int = Field(ge=0, le=1_000_000)
    """Memory of one process, a room's or a detection worker, beyond which it is started again; 0:
    none."""
    max_picture_bytes: int = Field(ge=1024, le=2**26)
    """Longest body of ``POST /v1/annotate``."""
    picture_urls: bool
    """Let ``POST /v1/annotate`` name a picture by URL, which the server fetches."""
    private_addresses: bool
    """Let webhooks and picture URLs lead to private addresses."""
    webhooks: tuple[ServerWebhook, ...]
    """HTTP servers that get the events of all rooms, signed: docs/sinks.md."""
    webhook_give_up: float = Field(ge=0, le=2_592_000)
    """Seconds after which a webhook delivery that fails becomes a dead letter."""
    webhook_backlog: int = Field(ge=1, le=1_000_000)
    """Deliveries that wait for one webhook at most; further events are dropped and counted."""
    otlp_endpoint: str | None = Field(None, pattern=r"^https?://\S+$")
    """OpenTelemetry collector that traces and metrics are sent to; needs the extra ``otel``."""
    engine: Literal["local", "ray"]
    """Run rooms and detection on this machine, or on a Ray cluster: docs/cluster.md."""
    cluster: ClusterSettings
    """The Ray cluster: address, namespace, room_cpus, replica_cpus, min_replicas, max_replicas,
    target_requests, orphan_timeout."""
    livekit: LiveKitDispatch
    """LiveKit server that dispatches rooms: url, agent_name, namespace."""
    rooms: tuple[StandingRoom, ...]
    """Rooms that are joined at the start."""
