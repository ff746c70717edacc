"""What a room's owner can do, over the server's own HTTP interface."""

from typing import Any

import aiohttp

from tests.servers.livekit import LiveKit
from tests.sidecar.rooms.livekit.guest import token


async def call(server: LiveKit, room: str, method: str, **fields: Any) -> dict[str, Any]:
    """Call ``RoomService.<method>`` for ``room``, with all rights there."""
    return await call_service(server, f"RoomService/{method}", room, **fields)


async def call_service(server: LiveKit, method: str, room: str, **fields: Any) -> dict[str, Any]:
    """Call ``method``, such as ``AgentDispatchService/ListDispatch``, for ``room``."""
    allowed = token(room, "owner", roomAdmin=True, roomCreate=True, roomList=True)
    url = f"http{server.address.removeprefix('ws')}/twirp/livekit.{method}"
    headers = {"Authorization": f"Bearer {allowed}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, json={"room": room, **fields}, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        reply: dict[str, Any] = await answer.json()
        return reply


async def identities(server: LiveKit, room: str) -> list[str]:
    """All participants of ``room``, hidden ones too."""
    reply = await call(server, room, "ListParticipants")
    return [person["identity"] for person in reply["participants"]]


async def alone(server: LiveKit, room: str, identity: str) -> bool:
    """Whether ``identity`` is alone in ``room``."""
    return await identities(server, room) == [identity]
