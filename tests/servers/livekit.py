"""A LiveKit server on loopback, with an API key of the tests' own."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

from tests.servers.find import need
from tests.servers.process import LOOPBACK, ServerProcess, free_ports

KEY: Final = "devkey"
SECRET: Final = "a-secret-of-at-least-32-characters"


class LiveKit:
    """A running server; ``process`` kills and restarts it on the same ports."""

    def __init__(self, process: ServerProcess) -> None:
        self.process = process

    @property
    def environ(self) -> dict[str, str]:
        """The variables that let a sidecar in."""
        return {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}

    @property
    def address(self) -> str:
        """Where clients connect to."""
        return f"ws://{LOOPBACK}:{self.process.port}"

    def url(self, room: str) -> str:
        """The address of a room, as people paste it."""
        return f"{self.address}#{room}"


@asynccontextmanager
async def livekit(
    folder: Path, *, media: str = LOOPBACK, relays: Sequence[RTCIceServer] = ()
) -> AsyncIterator[LiveKit]:
    """A LiveKit server that makes any room; what it says goes to ``folder``.

    Its clients find it at the address ``media``, and get the TURN servers ``relays``. Skips
    the test where there is none.
    """
    executable = need("livekit")
    http, tcp, udp = free_ports(3)
    sections: Mapping[str, object] = {
        "port": http,
        "bind_addresses": [LOOPBACK],
        "rtc": {
            "tcp_port": tcp,
            "udp_port": udp,
            "node_ip": media,
            "use_external_ip": False,
            "enable_loopback_candidate": media == LOOPBACK,
            "turn_servers": [_turn(relay) for relay in relays],
        },
        "keys": {KEY: SECRET},
        "logging": {"level": "info", "pion_level": "error"},
    }
    config = folder / "livekit.yaml"
    # JSON is YAML too.
    config.write_text(json.dumps(sections))
    command = [str(executable), "--config", str(config)]
    async with ServerProcess(command, http, folder / "livekit.log") as process:
        try:
            yield LiveKit(process)
        finally:
            # After SIGTERM it waits until its rooms are empty.
            process.kill()


def _turn(relay: RTCIceServer) -> Mapping[str, object]:
    """A TURN server, as the configuration has it."""
    parsed = parse_stun_turn_uri(str(relay.urls))
    return {
        "host": parsed["host"],
        "port": parsed["port"],
        "protocol": parsed["transport"],
        "username": relay.username,
        "credential": relay.credential,
    }
