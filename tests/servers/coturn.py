"""A TURN server on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aioice.ice import get_host_addresses
from aiortc import RTCIceServer

from tests.servers.find import need
from tests.servers.process import LOOPBACK, ServerProcess, free_ports

USER, PASSWORD = "ada", "turn-password"
RELAYS: Final = 50
"""Ports that it may relay from."""


@dataclass(frozen=True, slots=True)
class Coturn:
    """A running server."""

    process: ServerProcess
    tls_port: int

    def ice_server(self, transport: str = "udp", password: str = PASSWORD) -> RTCIceServer:
        """What a client needs to use it over ``transport``: udp, tcp or tls."""
        url = f"turn:{LOOPBACK}:{self.process.port}?transport={transport}"
        if transport == "tls":
            url = f"turns:{LOOPBACK}:{self.tls_port}?transport=tcp"
        return RTCIceServer(url, USER, password)


@asynccontextmanager
async def coturn(
    folder: Path, *, udp: bool = True, certificate: tuple[Path, Path] | None = None
) -> AsyncIterator[Coturn]:
    """A TURN server, without ``udp`` as behind a firewall, by TLS too where it has a certificate.

    Skips the test where there is none to be had.
    """
    executable = need("coturn")
    port, tls_port = free_ports(2)
    # Relays from the upper end, where systems seldom give out ports by themselves.
    command: list[str | Path] = [
        executable,
        "-n",
        "--verbose",
        "--no-cli",
        "--no-dtls",
        "--no-multicast-peers",
        "--lt-cred-mech",
        f"--listening-ip={LOOPBACK}",
        f"--listening-port={port}",
        f"--relay-ip={_own_address()}",
        f"--min-port={65535 - RELAYS}",
        "--max-port=65535",
        f"--user={USER}:{PASSWORD}",
        "--realm=sidecar.test",
        "--log-file=stdout",
        f"--pidfile={folder / 'pid'}",
        f"--userdb={folder / 'users'}",
    ]
    if not udp:
        command.append("--no-udp")
    if certificate is None:
        command.append("--no-tls")
    else:
        cert, key = certificate
        command += [f"--tls-listening-port={tls_port}", f"--cert={cert}", f"--pkey={key}"]
    async with ServerProcess(command, port, folder / "log", cwd=folder) as process:
        yield Coturn(process, tls_port)


def _own_address() -> str:
    """This machine's address, which is where other servers' media are: ICE leaves loopback out."""
    addresses = get_host_addresses(use_ipv4=True, use_ipv6=False)
    return addresses[0] if addresses else LOOPBACK
