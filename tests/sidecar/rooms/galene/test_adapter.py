"""The adapter, as the registry uses it."""

import ssl
from pathlib import Path

import aiohttp
import pytest

from config.errors import ConfigError, RefusedError
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.galene.adapter import ADAPTER
from tests.servers.galene import galene
from tests.servers.tls import self_signed
from tests.sidecar.rooms.galene.conftest import NAME, GroupServer, attending
from tests.sidecar.rooms.galene.fake import fake_galene


async def test_the_server_is_recognised(server: GroupServer) -> None:
    async with aiohttp.ClientSession() as http:
        assert ADAPTER.recognises(server.url("room"))
        assert await ADAPTER.confirms(server.url("room"), http)
        assert not await ADAPTER.confirms(server.url("unknown"), http)
        assert not await ADAPTER.confirms("http://galene.example/group/x", http)


async def test_it_makes_rooms_that_can_be_joined(server: GroupServer) -> None:
    async with ADAPTER.room(server.url("room"), JoinOptions(NAME)) as room:
        assert room.name == "room"


def test_a_token_and_a_password_are_refused_before_joining() -> None:
    options = JoinOptions(NAME, {"GALENE_PASSWORD": "s3cret"})
    with pytest.raises(ConfigError, match="both"):
        ADAPTER.room("https://galene.example/group/room/?token=t", options)


async def test_a_certificate_that_is_not_trusted_is_refused(tmp_path: Path) -> None:
    certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.load_cert_chain(*self_signed(tmp_path))
    async with fake_galene(certificate) as server:
        with pytest.raises(RefusedError, match=r"certificate.*SSL_CERT_FILE"):
            async with attending(server.url("room")):
                pass


@pytest.mark.servers
async def test_a_real_servers_own_certificate_is_refused(tmp_path: Path) -> None:
    async with galene(tmp_path, tls=True) as server:
        with pytest.raises(RefusedError, match=r"certificate.*SSL_CERT_FILE"):
            async with attending(server.url("room")):
                pass
