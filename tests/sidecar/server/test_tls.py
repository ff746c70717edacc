"""The listener over TLS: requests, a client that never begins the handshake, a new certificate."""

import asyncio
import datetime
import ssl
from pathlib import Path

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sidecar.server.listener import Certificate
from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import grey_server


def write_certificate(folder: Path) -> Certificate:
    """A certificate of ``localhost`` that it signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "chain.pem").write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, plain))
    return Certificate(folder / "chain.pem", folder / "key.pem")


async def test_https_is_served_and_other_clients_give_their_places_back(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=certificate.chain)
    async with (
        grey_server(certificate=certificate) as server,
        aiohttp.ClientSession() as http,
    ):
        url = f"https://localhost:{server.port}/livez"
        async with http.get(url, ssl=trust) as response:
            assert response.status == 200
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(20):
            assert b"200 OK" not in await reader.read()
        writer.close()
        await eventually(lambda: server.connections.open <= 1)


async def test_a_certificate_that_is_replaced_is_used_for_the_next_connections(
    tmp_path: Path,
) -> None:
    certificate = write_certificate(tmp_path)

    async def shown(port: int) -> bytes:
        trust_nothing = ssl.create_default_context()
        trust_nothing.check_hostname, trust_nothing.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust_nothing)
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return found

    async with grey_server(certificate=certificate, reload_every=0.02) as server:
        first = await shown(server.port)
        certificate.chain.write_text("half of a file")
        await asyncio.sleep(0.1)
        assert await shown(server.port) == first
        write_certificate(tmp_path)
        async with asyncio.timeout(20):
            while await shown(server.port) == first:
                pass
