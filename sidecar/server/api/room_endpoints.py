"""The endpoints of rooms: create, read, change, delete, trigger a reaction."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sidecar.server.api.endpoints import Endpoint, Exchange
from sidecar.server.api.tokens import Scope
from sidecar.supervisor.control import (
    ChangeParticipant,
    ListParticipants,
    ListScores,
    TakePreview,
    TriggerReaction,
)
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import (
    CreatedRoom,
    ParticipantPatch,
    ParticipantView,
    ReactionRequest,
    RoomList,
    RoomPatch,
    RoomRequest,
    RoomView,
)

IDEMPOTENCY = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class RoomEndpoints:
    """Rooms of ``supervisor`` over HTTP."""

    supervisor: Supervisor

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        room, participant = "/v1/rooms/{room}", "/v1/rooms/{room}/participants"
        return (
            Endpoint(
                "POST", "/v1/rooms", "createRoom", "Join a meeting", Scope.ROOMS, self.create,
                status=201, also=(200,), body=RoomRequest, answer=CreatedRoom,
                errors=(400, 409, 503, 507),
            ),
            Endpoint(
                "GET", "/v1/rooms", "listRooms", "List rooms", Scope.ROOMS, self.list,
                answer=RoomList,
            ),
            Endpoint(
                "GET", room, "getRoom", "Show a room", Scope.ROOMS, self.get, answer=RoomView,
                errors=(404,),
            ),
            Endpoint(
                "PATCH", room, "changeRoom", "Change a running room", Scope.ROOMS, self.change,
                body=RoomPatch, answer=RoomView, errors=(400, 404, 409, 503, 504, 507),
            ),
            Endpoint(
                "DELETE", room, "deleteRoom", "Leave a meeting", Scope.ROOMS, self.delete,
                status=202, answer=RoomView, errors=(404,),
            ),
            Endpoint(
                "GET", participant, "listParticipants", "List a room's participants", Scope.ROOMS,
                self.participants, answer=list[ParticipantView], errors=(404, 409, 503, 504),
            ),
            Endpoint(
                "PATCH", participant + "/{participant}", "changeParticipant",
                "Opt a participant out or in, or pin them", Scope.ROOMS, self.change_participant,
                body=ParticipantPatch, answer=ParticipantView, errors=(404, 409, 503, 504),
            ),
            Endpoint(
                "POST", room + "/reactions", "react", "Trigger a reaction", Scope.ROOMS,
                self.react, status=202, body=ReactionRequest, errors=(400, 404, 409, 503, 504),
            ),
            Endpoint(
                "GET", room + "/scores", "listScores",
                "Newest scores of participants who consent", Scope.ADMIN, self.scores,
                answer=dict[str, dict[str, float]], errors=(404, 409, 503, 504),
            ),
            Endpoint(
                "GET", room + "/preview", "preview", "The newest composite as JPEG", Scope.ADMIN,
                self.preview, content_type="image/jpeg", errors=(404, 409, 503, 504),
            ),
        )  # fmt: skip

    async def create(self, exchange: Exchange) -> web.Response:
        request: RoomRequest = exchange.body
        key = exchange.request.headers.get(IDEMPOTENCY)
        if key and request.idempotency_key is None:
            request = RoomRequest.model_validate(
                request.model_dump() | {"idempotency_key": key[:128]}
            )
        view, new = await self.supervisor.create(request)
        return web.Response(
            text=view.model_dump_json(),
            status=201 if new else 200,
            content_type="application/json",
            headers={"Location": f"/v1/rooms/{view.id}", "Cache-Control": "no-store"},
        )

    async def list(self, exchange: Exchange) -> RoomList:
        supervisor = self.supervisor
        return RoomList(rooms=tuple(supervisor.view(room) for room in supervisor.rooms()))

    async def get(self, exchange: Exchange) -> RoomView:
        return self.supervisor.view(self.supervisor.room(_room(exchange)))

    async def change(self, exchange: Exchange) -> RoomView:
        return await self.supervisor.change(_room(exchange), exchange.body)

    async def delete(self, exchange: Exchange) -> RoomView:
        return await self.supervisor.delete(_room(exchange))

    async def participants(self, exchange: Exchange) -> Any:
        found = await self.supervisor.call(_room(exchange), ListParticipants())
        return [ParticipantView.model_validate(one) for one in found]

    async def change_participant(self, exchange: Exchange) -> Any:
        operation = ChangeParticipant(
            participant=exchange.request.match_info["participant"], patch=exchange.body
        )
        found = await self.supervisor.call(_room(exchange), operation)
        return ParticipantView.model_validate(found)

    async def react(self, exchange: Exchange) -> None:
        await self.supervisor.call(_room(exchange), TriggerReaction(reaction=exchange.body))

    async def scores(self, exchange: Exchange) -> Any:
        return await self.supervisor.call(_room(exchange), ListScores())

    async def preview(self, exchange: Exchange) -> web.Response:
        picture = await self.supervisor.call(_room(exchange), TakePreview())
        headers = {"Cache-Control": "no-store"}
        body = base64.b64decode(picture)
        return web.Response(body=body, content_type="image/jpeg", headers=headers)


def _room(exchange: Exchange) -> str:
    return exchange.request.match_info["room"]
