"""Every setting: its name, type, limits and meaning. The values we ship are in ``default.toml``."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from config.section import Section
from config.sensitivity import Sensitivity
from config.serve_settings import ServeSettings
from config.sources import Source, locate, merge_sources, option, variables
from config.toml_files import CONFIG_VARIABLE, find_config_file, read_toml
from config.validation_errors import config_error_from

Pixels = Annotated[int, Field(ge=16, le=4096, multiple_of=2)]
"""A side of a 4:2:0 picture: even."""


def _network(text: str) -> str:
    ip_network(text, strict=False)
    return text


Network = Annotated[str, AfterValidator(_network)]
"""An IP address, or a network as ``10.0.0.0/8``."""


class IceServer(Section):
    """One STUN or TURN server, as in ``RTCIceServer``."""

    url: str = Field(pattern=r"^(stun|stuns|turn|turns):\S+$")
    """``stun:HOST[:PORT]`` or ``turn:HOST[:PORT][?transport=udp|tcp]``."""
    username: str | None = None
    credential: SecretStr | None = None


class ServerSettings(Section):
    """The HTTP server of the demo and of ``sidecar serve``."""

    host: str = Field(min_length=1)
    """Address to listen on; ``0.0.0.0`` and ``::`` let other machines in."""
    port: int = Field(ge=0, le=65535)
    """TCP port; 0 takes any that is free."""
    max_body_bytes: int = Field(ge=1024, le=2**24)
    """Longest request body that is read."""
    max_participants: int = Field(ge=1, le=49)
    """Cameras in one room."""
    max_viewers: int = Field(ge=1, le=1000)
    """Viewers of one room's composite."""
    max_sessions_per_address: int = Field(ge=1, le=1000)
    """Cameras, and viewers, of one address in one room (IPv6: of one /64)."""
    max_connections: int = Field(ge=8, le=100_000)
    """Connections at once; half of the system's limit of open files if that is less."""
    max_connections_per_address: int = Field(ge=4, le=100_000)
    """Connections of one address; those of ``proxies`` are not limited by it."""
    max_streams: int = Field(ge=1, le=100_000)
    """Event streams at once."""
    max_streams_per_client: int = Field(ge=1, le=100_000)
    """Event streams of one address, and of one token."""
    header_timeout: float = Field(ge=1, le=300)
    """Seconds for a request's whole header."""
    body_timeout: float = Field(ge=1, le=3600)
    """Seconds for a request's whole body."""
    idle_timeout: float = Field(ge=1, le=3600)
    """Seconds that a connection may wait for its next request."""
    proxies: tuple[Network, ...]
    """Reverse proxies in front, as addresses or networks: the client is who they name in
    ``X-Forwarded-For``. Others are not believed."""
    heartbeat_s: float = Field(ge=3, le=300)
    """Seconds of silence after which a browser's place is free again."""
    origins: tuple[str, ...]
    """Other sites whose pages may use the rooms (``https://site.example``, ``*`` for all)."""
    share_cameras: bool
    """Let other sidecars watch each camera of a room, not its composite alone."""
    ice_servers: tuple[IceServer, ...]
    """STUN and TURN servers for us and for browsers; none means host candidates only."""


class CompositeSettings(Section):
    """The published picture."""

    width: Pixels
    """Pixels."""
    height: Pixels
    """Pixels."""
    fps: int = Field(ge=1, le=60)
    """Frames a second."""
    bitrate: int = Field(ge=50_000, le=20_000_000)
    """Bits a second of its VP8 stream."""
    fit: Literal["letterbox", "cover"]
    """Show all of a camera picture between bars, or fill the tile and cut up to 40 % off."""
    spotlight: str
    """Name of a participant who gets a large tile while they are present; empty for none."""


class Engine(StrEnum):
    """What runs the models."""

    AUTO = "auto"
    THREADS = "threads"
    PROCESSES = "processes"


class SamplingSettings(Section):
    """Which frames the recogniser gets to see."""

    rate: float = Field(gt=0, le=30)
    """Samples a second from each camera."""
    longest: int = Field(ge=160, le=1920)
    """Longest side of a sample in pixels."""
    engine: Engine
    """Detect on ``threads`` of the sidecar or in ``processes`` of their own; ``auto`` is what suits
    the command."""
    workers: int = Field(ge=1, le=64)
    """Detection threads or processes, each with its own models (35–170 MiB)."""


class RecognitionSettings(Section):
    """Accuracy against speed."""

    hand_model: Literal["lite", "full"]
    """``full`` finds finger joints 3 % of a hand more exactly, at twice the time."""
    bundle: Annotated[str, Field(max_length=64)]
    """The bundle of models that ``join``, ``replay`` and ``annotate`` use: a name of ``sidecar
    model list``, ``shipped``, or empty for the one that ``sidecar model use`` chose."""


class PolicySettings(Section):
    """When scores become reactions, beyond what each label's rule says."""

    evidence: int = Field(ge=1, le=30)
    """A label counts as held while this many …"""
    window: int = Field(ge=1, le=30)
    """… of so many latest samples show it."""
    max_per_participant: int = Field(ge=1, le=9)
    """Stickers that one participant may wear at once."""
    max_at_once: int = Field(ge=1, le=49)
    """Stickers in a room at once."""
    sensitivity: Sensitivity
    """``calm`` moves all thresholds and holds up, ``playful`` down: docs/policy.md."""

    @model_validator(mode="after")
    def _window_holds_evidence(self) -> "PolicySettings":
        if self.evidence > self.window:
            raise ValueError(f"evidence ({self.evidence}) must not exceed window ({self.window})")
        return self


class StickerSettings(Section):
    """Your own stickers."""

    folders: tuple[Path, ...]
    """Folders with GIF, WebP or APNG files that reactions.toml may name; the first match wins."""
    cache_bytes: int = Field(ge=2**20, le=2**34)
    """Memory for decoded stickers."""


class ModelSettings(Section):
    """Where the models are kept."""

    folder: Path | None = None
    """Folder with the fetched models; SIDECAR_MODELS sets it too. Default: the platform's cache."""


class RoomSettings(Section):
    """Other people's meetings, as ``sidecar join`` takes part in them."""

    name: str = Field(min_length=1, max_length=64)
    """What others see wherever the sidecar can be seen; it should say what it is."""
    consent: Literal["all", "opt-in"]
    """``all`` samples participants who did not opt out, ``opt-in`` only those who opted in."""
    attention: int = Field(ge=1, le=1000)
    """Cameras looked at simultaneously; in a larger room they take turns where the system can."""
    relay_only: bool
    """Send media through a TURN server (server.ice_servers, or the meeting's) and no other way."""
    sinks: tuple[str, ...]
    """URLs of event sinks, of `sidecar join` and of each room of `sidecar serve`: docs/sinks.md."""


class LogLevel(StrEnum):
    """The least severe entries to write."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How log entries look."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class LogSettings(Section):
    """The log on standard error."""

    level: LogLevel
    """Least severe entries to write."""
    format: LogFormat
    """``text`` for people, ``json`` for machines; ``auto`` asks whether this is a terminal."""


class Settings(BaseSettings):
    """All settings. ``Settings()`` is what we ship; keyword arguments change parts of it."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="SIDECAR_",
        env_nested_delimiter="__",
        toml_file=Path(__file__).with_name("default.toml"),
    )
    FILE_PATHS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("stickers", "folders"),
        ("models", "folder"),
        ("serve", "token_file"),
        ("serve", "tls_certificate"),
        ("serve", "tls_key"),
        ("serve", "journal"),
        ("serve", "data_folder"),
        ("serve", "snapshots_folder"),
        ("serve", "key_file"),
        ("serve", "secrets_folder"),
    )
    """Keys whose relative paths in a settings file are meant from that file's folder."""

    server: ServerSettings
    composite: CompositeSettings
    sampling: SamplingSettings
    recognition: RecognitionSettings
    policy: PolicySettings
    stickers: StickerSettings
    models: ModelSettings
    rooms: RoomSettings
    serve: ServeSettings
    log: LogSettings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the caller gives, over ``default.toml``: ``load`` layers the rest itself.

        That is how each value's origin stays known, and how an error can name the origin.
        """
        return init_settings, TomlConfigSettingsSource(settings_cls)


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and where each value that we don't ship came from (``section.key`` → origin)."""

    settings: Settings
    origins: Mapping[str, str]


_OPTIONS = {
    "composite.spotlight": "--layout",
    "rooms.name": "--as",
    "rooms.relay_only": "--relay-only",
    "serve.livekit.url": "--livekit",
    "sampling.rate": "--sample-rate",
}
"""Command line options that are not called as their settings are."""


def load_with_origins(
    file: Path | None = None,
    options: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> LoadedSettings:
    """Settings from ``default.toml`` < a settings file < ``SIDECAR_…`` < command line options.

    ``file`` is the settings file; without one SIDECAR_CONFIG, ``./sidecar.toml`` and the platform's
    configuration folder are tried. ``options`` maps ``"section.key"`` to a value, None where an
    option was not given; a key may be of a table in the section. Raises ConfigError naming file,
    variable or option, key and what is allowed.
    """
    environ = os.environ if environ is None else environ
    layers: list[Source] = []
    if (path := find_config_file("sidecar.toml", file, environ.get(CONFIG_VARIABLE))) is not None:
        layers.append(Source(str(path), read_toml(path, Settings.FILE_PATHS)))
    layers.extend(variables(Settings, environ))
    for key, value in (options or {}).items():
        if value is not None:
            layers.append(option(_OPTIONS.get(key, f"--{key.rpartition('.')[2]}"), key, value))
    values, origins = merge_sources(layers)
    try:
        return LoadedSettings(Settings(**values), origins)
    except ValidationError as error:
        raise config_error_from(error, Settings, lambda key: locate(key, origins)) from None


def load_settings(
    file: Path | None = None,
    options: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of ``load_with_origins`` alone."""
    return load_with_origins(file, options, environ).settings
