"""A Janus server for tests: VideoRooms, by WebSocket and HTTP, with and without TLS."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeAlias

import aiohttp
import psutil

from tests.servers.find import need
from tests.servers.process import LOOPBACK, ServerProcess, free_ports

Setting: TypeAlias = str | int | bool
LIBRARIES: Final = (
    Path("/usr/lib/x86_64-linux-gnu/janus"),
    Path("/usr/lib/aarch64-linux-gnu/janus"),
    Path("/usr/local/lib/janus"),
    Path("/opt/janus/lib/janus"),
)
PORTS: Final = ("ws", "http", "wss", "https", "admin")
ATTEMPTS: Final = 3
ADMIN_SECRET: Final = "admin"
KEPT: Final = ("videoroom", "websockets", "libjanus_http")
"""Of all its plugins and transports, what the name of those that are loaded holds."""


@dataclass(slots=True)
class Setup:
    """What a test wants of its server."""

    rooms: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    """Those that are there from the start, and again after a restart."""
    general: Mapping[str, Setting] = field(default_factory=dict)
    """Further settings of janus.jcfg."""
    nat: Mapping[str, Setting] = field(default_factory=dict)
    videoroom: Mapping[str, Setting] = field(default_factory=dict)
    """Further settings of the plugin."""
    certificate: tuple[Path, Path] | None = None
    """A certificate and its key: TLS is spoken too."""
    media_certificate: tuple[Path, Path] | None = None
    """A certificate and its key for DTLS; without one the server makes its own."""


class JanusServer:
    """Runs while it is entered; skips the test where there is none to be had."""

    def __init__(self, folder: Path, setup: Setup | None = None) -> None:
        self._executable = need("janus")
        self._folder = folder
        self._setup = setup or Setup()
        self._settle()

    def _settle(self) -> None:
        """Choose ports and write the configuration."""
        folder = self._folder
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        _configure(folder, self._setup, self.ports, _library(self._executable))
        command: list[str | Path] = [self._executable, "-F", folder, "-C", folder / "janus.jcfg"]
        self.process = ServerProcess(command, self.ports["http"], folder / "log")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.process.stop()

    def url(self, room: str = "1234", scheme: str = "ws", query: str = "") -> str:
        """The address that is pasted for ``room``."""
        return f"janus+{scheme}://{LOOPBACK}:{self.ports[scheme]}/{room}{query}"

    async def start(self) -> None:
        """Start it and wait until it listens on all its ports.

        Janus runs on without a port that another program took; others are chosen then.
        """
        for _ in range(ATTEMPTS):
            await self.process.start()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    while not self._listens():  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                return
            await self.process.stop()
            self._settle()
        raise RuntimeError("janus does not listen: " + self.process.log.read_text()[-2000:])

    def _listens(self) -> bool:
        wanted = {self.ports[name] for name in ("ws", "http", "admin")}
        if self._setup.certificate is not None:
            wanted |= {self.ports["wss"], self.ports["https"]}
        sockets = psutil.Process(self.process.pid).net_connections("tcp")
        ours = {each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN}
        return ours.issuperset(wanted)

    async def admin(self, kind: str, **fields: object) -> None:
        """Make a request of the server's operator, such as ``add_token``."""
        request = {"janus": kind, "transaction": "t", "admin_secret": ADMIN_SECRET, **fields}
        url = f"http://{LOOPBACK}:{self.ports['admin']}/admin"
        async with aiohttp.ClientSession() as http, http.post(url, json=request) as response:
            said = await response.json(content_type=None)
            assert said["janus"] == "success", said


def _library(executable: Path) -> Path:
    places = (executable.parents[1] / "lib" / "janus", *LIBRARIES)
    return next(filter(Path.is_dir, places), LIBRARIES[0])


def _configure(folder: Path, setup: Setup, ports: Mapping[str, int], library: Path) -> None:
    """Write the configuration, everything on loopback but media, which ICE decides."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = _certificate(setup.certificate)
    tls = bool(certificate)
    files: dict[str, dict[str, Mapping[str, Setting]]] = {
        "janus": {
            "general": {
                "configs_folder": str(folder),
                "plugins_folder": str(library / "plugins"),
                "transports_folder": str(library / "transports"),
                "events_folder": str(library / "events"),
                "loggers_folder": str(library / "loggers"),
                "admin_secret": ADMIN_SECRET,
                **setup.general,
            },
            "certificates": _certificate(setup.media_certificate),
            "nat": dict(setup.nat),
            "plugins": {"disable": _unneeded(library / "plugins")},
            "transports": {"disable": _unneeded(library / "transports")},
        },
        "janus.plugin.videoroom": {
            "general": setup.videoroom,
            **{f"room-{name}": room for name, room in setup.rooms.items()},
        },
        "janus.transport.websockets": {
            "general": {
                "ws": True,
                "ws_ip": LOOPBACK,
                "ws_port": ports["ws"],
                "wss": tls,
                "wss_ip": LOOPBACK,
                "wss_port": ports["wss"],
            },
            "certificates": certificate,
        },
        "janus.transport.http": {
            "general": {
                "http": True,
                "ip": LOOPBACK,
                "port": ports["http"],
                "https": tls,
                "secure_ip": LOOPBACK,
                "secure_port": ports["https"],
            },
            "admin": {
                "admin_http": True,
                "admin_ip": LOOPBACK,
                "admin_port": ports["admin"],
                "admin_base_path": "/admin",
            },
            "certificates": certificate,
        },
    }
    for name, sections in files.items():
        lines = [line for title, values in sections.items() for line in _section(title, values)]
        (folder / f"{name}.jcfg").write_text("\n".join(lines) + "\n")


def _certificate(files: tuple[Path, Path] | None) -> dict[str, Setting]:
    return {} if files is None else {"cert_pem": str(files[0]), "cert_key": str(files[1])}


def _unneeded(folder: Path) -> str:
    names = (path.name for path in folder.glob("*.so"))
    return ",".join(name for name in names if not any(kept in name for kept in KEPT))


def _section(title: str, values: Mapping[str, Setting]) -> Iterable[str]:
    yield f"{title}: {{"
    for key, value in values.items():
        shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
        yield f"  {key} = {shown}"
    yield "}"
