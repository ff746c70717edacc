"""An MQTT broker on loopback: Debian's mosquitto."""

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.servers.find import need
from tests.servers.process import LOOPBACK, ServerProcess, free_ports
from tests.servers.tls import self_signed


@asynccontextmanager
async def mosquitto(
    folder: Path, *, password: str = "", tls: bool = False
) -> AsyncIterator[ServerProcess]:
    """A broker that keeps nothing over a restart; skips the test where there is none.

    With ``password``, the user ``sidecar`` is let in by it alone. With ``tls``, the certificate is
    its own authority: ``folder / "cert.pem"``.
    """
    executable = need("mosquitto")
    (port,) = free_ports(1)
    lines: dict[str, object] = {
        "listener": f"{port} {LOOPBACK}",
        "persistence": "false",
        # Started by root it would become another user, who can't read the test's folder.
        "user": getpass.getuser(),
    }
    if password:
        users = folder / "users"
        make = ("mosquitto_passwd", "-b", "-c", str(users), "sidecar", password)
        made = await asyncio.create_subprocess_exec(*make, stderr=asyncio.subprocess.DEVNULL)
        assert await made.wait() == 0
        lines["password_file"] = users
    lines["allow_anonymous"] = "false" if password else "true"
    if tls:
        certificate, key = self_signed(folder)
        lines["certfile"], lines["keyfile"] = certificate, key
    config = folder / "mosquitto.conf"
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    process = ServerProcess([executable, "-c", config], port, folder / "mosquitto.log")
    async with process:
        yield process
