"""What an application does with dispatches, over the server's own HTTP interface."""

from typing import Any

import aiohttp

from tests.servers.livekit import LiveKit
from tests.sidecar.rooms.livekit.guest import token

AGENT = "reaction-sidecar"


async def call(server: LiveKit, method: str, room: str, **fields: Any) -> dict[str, Any]:
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


async def dispatch(server: LiveKit, room: str, metadata: str = "", agent: str = AGENT) -> str:
    """Dispatch the sidecar to ``room``; the dispatch's id."""
    made = await call(
        server,
        "AgentDispatchService/CreateDispatch",
        room,
        agent_name=agent,
        metadata=metadata,
    )
    return str(made["id"])


async def dispatches(server: LiveKit, room: str) -> list[dict[str, Any]]:
    """The dispatches of ``room`` that name an agent; the server makes one without a name itself."""
    listed = await call(server, "AgentDispatchService/ListDispatch", room)
    return [one for one in listed["agent_dispatches"] if one["agent_name"]]


async def withdraw(server: LiveKit, room: str, dispatch: str) -> None:
    """Delete a dispatch."""
    await call(server, "AgentDispatchService/DeleteDispatch", room, dispatch_id=dispatch)


async def participants(server: LiveKit, room: str) -> list[dict[str, Any]]:
    """All participants of ``room``, hidden ones too."""
    listed = await call(server, "RoomService/ListParticipants", room)
    found: list[dict[str, Any]] = listed["participants"]
    return found
