"""What an application does with dispatches, over the server's own HTTP interface."""

from typing import Any

from tests.servers.livekit import LiveKit
from tests.sidecar.rooms.livekit.admin import call_service

AGENT = "reaction-sidecar"


async def dispatch(server: LiveKit, room: str, metadata: str = "", agent: str = AGENT) -> str:
    """Dispatch the sidecar to ``room``; the dispatch's id."""
    made = await call_service(
        server,
        "AgentDispatchService/CreateDispatch",
        room,
        agent_name=agent,
        metadata=metadata,
    )
    return str(made["id"])


async def dispatches(server: LiveKit, room: str) -> list[dict[str, Any]]:
    """The dispatches of ``room`` that name an agent; the server makes one without a name itself."""
    listed = await call_service(server, "AgentDispatchService/ListDispatch", room)
    return [one for one in listed["agent_dispatches"] if one["agent_name"]]


async def withdraw(server: LiveKit, room: str, dispatch: str) -> None:
    """Delete a dispatch."""
    await call_service(server, "AgentDispatchService/DeleteDispatch", room, dispatch_id=dispatch)


async def participants(server: LiveKit, room: str) -> list[dict[str, Any]]:
    """All participants of ``room``, hidden ones too."""
    listed = await call_service(server, "RoomService/ListParticipants", room)
    found: list[dict[str, Any]] = listed["participants"]
    return found
