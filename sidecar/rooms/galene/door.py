"""What a server tells over HTTP before one joins: where a group is, and who lets people in."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from config.errors import RefusedError, RoomError
from sidecar.rooms.galene.address import Address, follow, is_private
from sidecar.rooms.galene.credentials import Credentials

ASKING: Final = 10.0
"""Seconds for one request."""
MAX_BODY: Final = 64 * 1024
MAX_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Group:
    """A group as its server describes it."""

    name: str
    address: Address
    endpoint: str
    """The WebSocket's URL."""
    auth_server: str = ""
    """Who turns a name and password into a token, where somebody does."""


async def find_group(
    http: aiohttp.ClientSession, address: Address, credentials: Credentials
) -> Group:
    """The group at ``address``, wherever it was moved to.

    Raises RefusedError where there is none, RoomError where the server can't be reached.
    """
    for _ in range(MAX_REDIRECTS):
        status = await _status(http, address)
        if isinstance(location := status.get("redirect"), str) and location:
            address = moved(address, location, credentials)
            continue
        return _group(status, address)
    raise RefusedError("the group was moved too often", where=address.url)


def moved(address: Address, location: str, credentials: Credentials) -> Address:
    """Where a group is now; raises RefusedError where we must not follow.

    A password or token was given for one server, and is told to no other.
    """
    there = follow(address, location)
    if credentials.secret and there.origin != address.origin:
        raise RefusedError(
            "the group was moved to another server",
            where=address.url,
            do=f"paste {there.url} if that server may have the password or token",
        )
    return there


async def speaks_galene(http: aiohttp.ClientSession, address: Address) -> bool:
    """Whether a Galène answers at ``address``."""
    try:
        status = await _status(http, address)
    except RoomError:
        return False
    return isinstance(status.get("endpoint") or status.get("redirect"), str)


async def authorise(
    http: aiohttp.ClientSession, group: Group, credentials: Credentials
) -> Credentials:
    """What to join ``group`` with: a token, where an authorisation server gives one for a password.

    Raises RefusedError where it won't, RoomError where it can't be reached.
    """
    if not group.auth_server or credentials.token:
        return credentials
    parts = urlsplit(group.auth_server)
    if not is_private(parts.scheme, parts.hostname):
        what = "the group's authorisation server would be told the password in the clear"
        raise RefusedError(what, where=group.address.url)
    body = {
        "location": group.address.url,
        "username": credentials.username,
        "password": credentials.password,
    }
    where = f"{parts.scheme}://{parts.netloc}"
    status, kind, text = await _ask(http, "POST", group.auth_server, where, body)
    if status == 204:
        # It has no opinion: the group's own passwords count.
        return credentials
    if status in (401, 403):
        what = "the authorisation server refused"
        raise RefusedError(what, where=where, do="check GALENE_USERNAME and GALENE_PASSWORD")
    if status != 200 or kind.lower() != "application/jwt" or not text.strip():
        raise RoomError(f"the authorisation server gave no token: status {status}", where=where)
    return replace(credentials, password="", token=text.strip())


def _group(status: Mapping[str, Any], address: Address) -> Group:
    name, endpoint, auth = (status.get(key) for key in ("name", "endpoint", "authServer"))
    if not isinstance(name, str) or not isinstance(endpoint, str):
        what = "what answers there is no Galène"
        raise RefusedError(what, where=address.url, do="check the address")
    parts = urlsplit(endpoint)
    secure = urlsplit(address.url).scheme == "https"
    private = parts.scheme == "ws" and not secure and is_private("ws", parts.hostname)
    if parts.scheme != "wss" and not private:
        what = "the server wants to be spoken to in the clear"
        raise RefusedError(what, where=address.url, do="ask whoever runs it")
    return Group(name, address, endpoint, auth if isinstance(auth, str) else "")


async def _status(http: aiohttp.ClientSession, address: Address) -> Mapping[str, Any]:
    status, kind, text = await _ask(http, "GET", address.status, address.url)
    if status == 404:
        raise RefusedError("no such group", where=address.url, do="check the group's name")
    if status in REDIRECTS:
        return {"redirect": text}
    if status >= 500:
        raise RoomError(f"the server answered {status}", where=address.url)
    try:
        found = json.loads(text) if status == 200 and kind.lower() == "application/json" else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        what = "what answers there is no Galène"
        raise RefusedError(what, where=address.url, do="check the address")
    return found


async def _ask(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    where: str,
    body: Mapping[str, str] | None = None,
) -> tuple[int, str, str]:
    """Status, content type and text of an answer, or the place that a redirect leads to.

    Raises RefusedError for a certificate that can't be trusted, otherwise RoomError.
    """
    try:
        async with (
            asyncio.timeout(ASKING),
            http.request(method, url, json=body, allow_redirects=False) as response,
        ):
            if response.status in REDIRECTS:
                return response.status, "", response.headers.get("Location", "")
            text = (await _body(response)).decode(errors="replace")
            return response.status, response.content_type, text
    except (aiohttp.ClientConnectorCertificateError, ssl.CertificateError) as error:
        what = "its certificate can't be trusted"
        do = "ask whoever runs it, or name the authority's certificate in SSL_CERT_FILE"
        raise RefusedError(what, where=where, do=do) from error
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise RoomError(f"can't be reached: {str(error) or 'no answer'}", where=where) from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """An answer's body, as far as it may go."""
    try:
        return await response.content.readexactly(MAX_BODY)
    except asyncio.IncompleteReadError as all_of_it:
        return all_of_it.partial
