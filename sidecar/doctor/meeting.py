"""Check a meeting: system, server, TLS, joining, and the first frames."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from urllib.parse import urlsplit

from config.errors import SidecarError
from config.settings import Settings
from sidecar.doctor.check import Check, Verdict, failed
from sidecar.doctor.connection import connection_checks
from sidecar.media.feed import Feed
from sidecar.redaction import shown_url
from sidecar.rooms.base import Adapter, HasPeerConnections, Joined, Room
from sidecar.rooms.registry import find_adapter
from sidecar.session.factories import join_options

SIGNALLING = 10.0
"""Seconds for a connection, a TLS handshake, or joining."""
FIRST_PICTURE = 10.0
"""Seconds to wait for the first frame of any participant."""
PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80, "rtsp": 554}
"""Where a scheme's servers listen unless the address says otherwise."""


async def meeting_checks(
    url: str, settings: Settings, environ: Mapping[str, str]
) -> AsyncGenerator[Check, None]:
    """Go to the meeting at ``url`` as a watcher; what needs an earlier check ends with it."""
    try:
        adapter = await find_adapter(url)
    except SidecarError as error:
        yield failed("system", error)
        return
    yield Check("system", Verdict.FINE, f"{adapter.system}: {shown_url(url)}")
    async with aclosing(_reached(url)) as checks:
        async for check in checks:
            yield check
            if check.verdict is Verdict.WRONG:
                return
    async with aclosing(_joined(adapter, url, settings, environ)) as checks:
        async for check in checks:
            yield check


async def _reached(url: str) -> AsyncGenerator[Check, None]:
    """A TCP connection to the server of ``url``, and a TLS handshake where there is to be one."""
    try:
        split = urlsplit(url)
        scheme = split.scheme.rpartition("+")[2]
        host = split.hostname
        port = split.port or PORTS.get(scheme)
    except ValueError:
        return  # Its adapter says what is wrong.
    if host is None or port is None:
        return  # A file, a webcam, or a system with a port of its own: joining tells.
    began = time.perf_counter()
    try:
        async with asyncio.timeout(SIGNALLING):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number).lower() if number else str(error) or "no answer in time"
        do = "check the name and the port, that the server runs, and that no firewall is between"
        yield Check("server", Verdict.WRONG, f"{host}:{port}: {reason}", do)
        return
    took = (time.perf_counter() - began) * 1000
    writer.close()
    yield Check("server", Verdict.FINE, f"{host}:{port} answers; round trip {took:.1f} ms")
    if scheme in ("https", "wss"):
        yield await _tls(host, port)


async def _tls(host: str, port: int) -> Check:
    try:
        async with asyncio.timeout(SIGNALLING):
            _, writer = await asyncio.open_connection(host, port, ssl=True)
    except ssl.SSLCertVerificationError as error:
        do = "use the name in the certificate, renew it, or set SSL_CERT_FILE to its authority's"
        return Check("TLS", Verdict.WRONG, error.verify_message, do)
    except (OSError, TimeoutError) as error:
        do = "check that this port speaks TLS; ws:// and http:// go without"
        return Check("TLS", Verdict.WRONG, str(error) or "no handshake in time", do)
    with_tls = writer.get_extra_info("ssl_object")
    version = with_tls.version() if with_tls is not None else "TLS"
    writer.close()
    return Check("TLS", Verdict.FINE, f"{version}, and the certificate is valid")


async def _joined(
    adapter: Adapter, url: str, settings: Settings, environ: Mapping[str, str]
) -> AsyncGenerator[Check, None]:
    """Join as a watcher, publish nothing, wait for one picture, look at the connections."""
    began = time.perf_counter()
    async with AsyncExitStack() as stack:
        try:
            room = adapter.room(url, join_options(settings, environ))
            async with asyncio.timeout(SIGNALLING):
                await stack.enter_async_context(room)
        except SidecarError as error:
            yield failed("joining", error)
            return
        except TimeoutError:
            yield Check("joining", Verdict.WRONG, f"not in the meeting after {SIGNALLING:.0f} s")
            return
        took = (time.perf_counter() - began) * 1000
        yield Check("joining", Verdict.FINE, f"joined {room.name} after {took:.0f} ms")
        yield await _pictures(room)
        peers = room.peers() if isinstance(room, HasPeerConnections) else ()
        for peer in peers[:1]:
            for check in await connection_checks(peer):
                yield check


async def _pictures(room: Room) -> Check:
    """The first picture that comes, if a participant is present."""
    problems: list[str] = []
    feeds: list[Feed] = []
    try:
        async with asyncio.timeout(FIRST_PICTURE), aclosing(room.changes()) as changes:
            async for change in changes:
                if not isinstance(change, Joined):
                    continue
                if change.feed is None:
                    problems.append(f"{change.name}: {change.problem}")
                    continue
                feeds.append(change.feed)
                if await change.feed.wait_newer(0):
                    width, height = change.feed.size or (0, 0)
                    found = f"{change.name}'s camera arrives, {width}x{height}"
                    return Check("pictures", Verdict.FINE, found)
    except TimeoutError:
        pass
    except SidecarError as error:
        return failed("pictures", error)
    if problems:
        return Check("pictures", Verdict.WRONG, "; ".join(problems))
    if not feeds:
        do = "ask a participant to switch theirs on, and try again"
        return Check("pictures", Verdict.WORTH_KNOWING, "no camera is on", do)
    do = "UDP may be blocked: name a TURN server (server.ice_servers), over TCP or TLS if need be"
    found = f"no picture within {FIRST_PICTURE:.0f} s though {len(feeds)} cameras are on"
    return Check("pictures", Verdict.WRONG, found, do)
