import ipaddress
import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RefusedError
from sidecar.addresses import (
    AddressRule,
    GuardedResolver,
    address_problem,
    guard,
    guarded_session,
    host_problem,
)

NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "[fe80::1]",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "0xa9fea9fe",
    "2852039166",
    "metadata.google.internal",
    "METADATA.google.internal.",
]
NEXT_DOOR = ["127.0.0.1", "10.0.0.7", "192.168.1.2", "::1", "fd12::1", "localhost", "127.1"]


@pytest.mark.parametrize("host", NEVER)
@pytest.mark.parametrize("rule", [AddressRule.ROOM, AddressRule.PUBLIC])
def test_metadata_and_no_host_s_addresses_are_refused(host: str, rule: AddressRule) -> None:
    assert host_problem(host.strip("[]"), rule)


@pytest.mark.parametrize("host", NEXT_DOOR)
def test_the_sfu_may_be_next_door_and_a_webhook_may_not(host: str) -> None:
    assert not host_problem(host, AddressRule.ROOM)
    assert host_problem(host, AddressRule.PUBLIC)


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860:4860::8888", "sfu.example"])
def test_public_hosts_are_allowed(host: str) -> None:
    assert not host_problem(host, AddressRule.PUBLIC)


@given(st.ip_addresses())
def test_what_is_public_is_allowed_for_rooms_too(address: ipaddress.IPv4Address) -> None:
    if not address_problem(address, AddressRule.PUBLIC):
        assert not address_problem(address, AddressRule.ROOM)
        assert address.is_global


class Rebinding(AbstractResolver):
    """A name server that points a public name at an address of its own choice."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=self._address, port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_leads_to_a_private_address_is_refused_at_the_connection() -> None:
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(AddressRule.PUBLIC, Rebinding("127.0.0.1"))
    )
    async with aiohttp.ClientSession(connector=connector) as http:
        with pytest.raises(RefusedError, match="not a public address"):
            await http.get("http://innocent.example/")


async def test_a_redirect_to_a_refused_address_is_not_followed() -> None:
    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data/")

    app = web.Application()
    app.router.add_get("/", redirect)
    async with TestServer(app) as server, guarded_session(AddressRule.ROOM) as http:
        with pytest.raises(RefusedError, match="metadata"):
            await http.get(server.make_url("/"))


async def test_an_address_in_a_url_is_refused_before_anything_is_sent() -> None:
    async with aiohttp.ClientSession(middlewares=(guard(AddressRule.PUBLIC),)) as http:
        with pytest.raises(RefusedError):
            await http.get("http://127.0.0.1:9/")
