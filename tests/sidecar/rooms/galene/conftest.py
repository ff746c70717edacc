"""A Galène, real or fake, and the sidecar's room in one of its groups."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
from aiortc import RTCPeerConnection

from sidecar.rooms.base import JoinOptions
from sidecar.rooms.galene.room import GaleneRoom
from sidecar.rooms.galene.transport import GaleneTimeouts
from sidecar.rooms.galene.url import parse_group_url, read_credentials
from tests.servers.galene import OPEN, Galene, galene
from tests.sidecar.rooms.attendance import Attendance, entered
from tests.sidecar.rooms.galene.fake import FakeGalene, fake_galene

NAME = "Reactions (sidecar)"
BRISK = GaleneTimeouts(layers=0.2)
"""The product's timeouts, but for the time until the notice is in the chat."""


class GroupServer(Protocol):
    """What the real server and the fake have in common."""

    def url(self, group: str) -> str: ...

    def add_group(self, name: str, description: Mapping[str, object] = OPEN) -> str: ...

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    async def stop(self) -> None: ...

    async def kill(self) -> None: ...

    async def start(self) -> None: ...


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Galene]:
    """A real server, for tests with the marker ``servers``."""
    async with galene(tmp_path) as running:
        yield running


@pytest.fixture
async def fake() -> AsyncIterator[FakeGalene]:
    """A server in this process, which tests can have misbehave."""
    async with fake_galene() as running:
        yield running


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.servers)])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[GroupServer]:
    """Each of them: the tests hold for both."""
    async with fake_galene() if request.param == "fake" else galene(tmp_path) as running:
        yield running


@pytest.fixture
def url(server: GroupServer) -> str:
    """The URL of an open group."""
    return server.url("room")


def group_room(
    url: str,
    *,
    name: str = NAME,
    environ: Mapping[str, str] | None = None,
    relay_only: bool = False,
    timeouts: GaleneTimeouts = BRISK,
) -> GaleneRoom:
    """The sidecar's room of the group at ``url``, as the adapter makes it, not joined yet."""
    options = JoinOptions(name, environ or {}, relay_only=relay_only)
    group = parse_group_url(url)
    credentials = read_credentials(name, options.environ, group.token)
    return GaleneRoom(group, credentials, options, timeouts)


@asynccontextmanager
async def attending(
    url: str,
    *,
    name: str = NAME,
    environ: Mapping[str, str] | None = None,
    relay_only: bool = False,
    timeouts: GaleneTimeouts = BRISK,
) -> AsyncIterator[Attendance]:
    """The sidecar in the group at ``url``, publishing nothing."""
    async with entered(
        group_room(url, name=name, environ=environ, relay_only=relay_only, timeouts=timeouts)
    ) as attendance:
        yield attendance


def connections(attendance: Attendance) -> Sequence[RTCPeerConnection]:
    """The room's peer connections."""
    assert isinstance(attendance.room, GaleneRoom)
    return attendance.room.peers()
