import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.settings import Settings
from sidecar.doctor.check import Check, Verdict
from sidecar.doctor.meeting import meeting_checks
from tests.servers.process import free_ports


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate of an unknown issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that says nothing."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def checks(url: str) -> list[Check]:
    return [check async for check in meeting_checks(url, Settings(), {})]


async def test_a_server_that_is_not_there_ends_the_checks() -> None:
    (port,) = free_ports(1)
    *_, last = await checks(f"ws://127.0.0.1:{port}#room")
    assert (last.what, last.verdict) == ("server", Verdict.WRONG)
    assert "connection refused" in last.found
    assert "firewall" in last.do


async def test_a_certificate_of_an_unknown_issuer_is_reported(tmp_path: Path) -> None:
    async with listening(self_signed(tmp_path)) as port:
        *_, last = await checks(f"wss://127.0.0.1:{port}#room")
    assert (last.what, last.verdict) == ("TLS", Verdict.WRONG)
    assert "self-signed" in last.found.replace(" ", "-")


async def test_a_server_without_tls_is_distinguished() -> None:
    async with listening() as port:
        *_, last = await checks(f"wss://127.0.0.1:{port}#room")
    assert (last.what, last.verdict) == ("TLS", Verdict.WRONG)
    assert "without" in last.do


async def test_a_missing_key_is_reported_before_anything_is_sent() -> None:
    async with listening() as port:
        *_, last = await checks(f"ws://127.0.0.1:{port}#room")
    assert (last.what, last.verdict) == ("joining", Verdict.WRONG)
    assert "LIVEKIT_API_KEY" in f"{last.found} {last.do}"


async def test_an_address_of_no_system_is_reported_with_the_known_systems() -> None:
    (only,) = await checks("ftp://127.0.0.1/room")
    assert (only.what, only.verdict) == ("system", Verdict.WRONG)
    assert "livekit://" in only.do


@pytest.mark.parametrize("url", ["whep+http://[x/", "rtsp://[x/", "whep+http://h:99999/a"])
async def test_a_malformed_address_is_a_failed_check(url: str) -> None:
    *_, last = await checks(url)
    assert last.verdict is Verdict.WRONG
