"""A LiveKit server's API over HTTP (Twirp): rooms, their dispatches and participants.

Source: ``livekit_room.proto`` and ``livekit_agent_dispatch.proto`` of the server's protocol
repository; https://twitchtv.github.io/twirp/docs/spec_v7.html.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import aiohttp
from google.protobuf.message import DecodeError, Message
from livekit.protocol.agent_dispatch import (
    AgentDispatch,
    CreateAgentDispatchRequest,
    DeleteAgentDispatchRequest,
    JobRestartPolicy,
    ListAgentDispatchRequest,
    ListAgentDispatchResponse,
)
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import (
    ListRoomsRequest,
    ListRoomsResponse,
    RoomParticipantIdentity,
)

from config.errors import NotFoundError, ProtocolError, RoomError
from sidecar.plain_text import clean_text
from sidecar.redaction import shown_url
from sidecar.rooms.http import read_body, unreachable
from sidecar.rooms.livekit.messages import BEAT
from sidecar.rooms.livekit.tokens import KeyPair

TIMEOUT: Final = 5.0
"""Seconds for one request."""
MAX_ANSWER: Final = 16 << 20
"""Bytes of an answer: ten thousand rooms are some 2 MB."""
MAX_BEAT: Final = 256
"""Characters of a sign of life that are kept; ours are a few."""
NANOSECONDS: Final = 1e9

Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True, slots=True)
class ListedRoom:
    """A room of the server."""

    name: str
    sid: str
    """Of this life of the room."""


@dataclass(frozen=True, slots=True)
class RoomDispatch:
    """A dispatch of one agent name, as the server lists it."""

    dispatch: str
    room: str
    jobs: int
    """That the server has begun for it. It lists them as running for ever."""
    started: float
    """When the newest began, in seconds since 1970 on the server's clock; 0 without one."""
    restarts: bool
    """False: the application wants no other job after a worker that died."""
    message: AgentDispatch
    """All of it, for the one that takes its place."""


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """What a watcher last said of itself."""

    joined: float
    """Seconds since 1970 on the server's clock."""
    beat: str
    """Another one with each sign."""


class DispatchApi:
    """Requests to ``server`` (``ws://`` or ``wss://``) with ``keys``.

    Each raises RoomError, and NotFoundError where the room or dispatch is gone.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        server: str,
        keys: KeyPair,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._url = f"http{server.removeprefix('ws')}"
        self._keys = keys
        self._clock = clock

    async def rooms(self) -> Sequence[ListedRoom]:
        """All rooms."""
        token = self._keys.lister(self._clock())
        answer = await self._call(
            "RoomService/ListRooms", ListRoomsRequest(), ListRoomsResponse(), token
        )
        return [ListedRoom(room.name, room.sid) for room in answer.rooms]

    async def dispatches(self, room: str, agent_name: str) -> Sequence[RoomDispatch]:
        """The dispatches of ``agent_name`` in ``room``."""
        answer = await self._admin(
            room,
            "AgentDispatchService/ListDispatch",
            ListAgentDispatchRequest(room=room),
            ListAgentDispatchResponse(),
        )
        return [
            _read_dispatch(room, found)
            for found in answer.agent_dispatches
            if found.agent_name == agent_name
        ]

    async def sign(self, room: str, identity: str) -> SignOfLife | None:
        """The newest sign of life of the participant ``identity``; None where it isn't there."""
        request = RoomParticipantIdentity(room=room, identity=identity)
        try:
            found = await self._admin(
                room, "RoomService/GetParticipant", request, ParticipantInfo()
            )
        except NotFoundError:
            return None
        return _read_sign(found)

    async def delete(self, dispatch: str, room: str) -> bool:
        """Delete a dispatch; False where it is not there. Of several callers one gets True."""
        try:
            await self._admin(
                room,
                "AgentDispatchService/DeleteDispatch",
                DeleteAgentDispatchRequest(dispatch_id=dispatch, room=room),
                AgentDispatch(),
            )
        except NotFoundError:
            return False
        return True

    async def create(self, like: AgentDispatch) -> str:
        """Dispatch an agent as ``like`` has it; the new dispatch's id."""
        request = CreateAgentDispatchRequest(
            agent_name=like.agent_name,
            room=like.room,
            metadata=like.metadata,
            restart_policy=like.restart_policy,
            deployment=like.deployment,
            attributes=dict(like.attributes),
        )
        answer = await self._admin(
            like.room, "AgentDispatchService/CreateDispatch", request, AgentDispatch()
        )
        return answer.id

    async def _admin(self, room: str, method: str, request: Message, answer: Answer) -> Answer:
        return await self._call(method, request, answer, self._keys.admin(room, self._clock()))

    async def _call(self, method: str, request: Message, answer: Answer, token: str) -> Answer:
        url = f"{self._url}/twirp/livekit.{method}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/protobuf"}
        where = f"{shown_url(self._url)} {method.partition('/')[2]}"
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                self._http.post(url, data=request.SerializeToString(), headers=headers) as said,
            ):
                body = await read_body(said, MAX_ANSWER)
                status = said.status
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise unreachable(error, where) from None
        if status != 200:
            raise _refusal(status, body, where)
        if len(body) >= MAX_ANSWER:
            what = f"the answer is longer than {MAX_ANSWER >> 20} MiB"
            raise ProtocolError(what, where=where, do="let the server have fewer rooms")
        try:
            answer.ParseFromString(body)
        except DecodeError:
            raise ProtocolError("the answer is no protobuf", where=where) from None
        return answer


def _read_dispatch(room: str, found: AgentDispatch) -> RoomDispatch:
    jobs = found.state.jobs
    return RoomDispatch(
        dispatch=found.id,
        room=room,
        jobs=len(jobs),
        started=max((job.state.started_at for job in jobs), default=0) / NANOSECONDS,
        restarts=found.restart_policy != JobRestartPolicy.JRP_NEVER,
        message=found,
    )


def _read_sign(participant: ParticipantInfo) -> SignOfLife:
    beat = f"{participant.sid} {participant.attributes.get(BEAT, '')}"[:MAX_BEAT]
    return SignOfLife(participant.joined_at_ms / 1000 or participant.joined_at, beat)


def _refusal(status: int, body: bytes, where: str) -> RoomError | NotFoundError:
    """A Twirp error: JSON with ``code`` and ``msg``."""
    try:
        said = json.loads(body)
        code, text = str(said["code"]), clean_text(said["msg"], 200)
    except (ValueError, TypeError, KeyError, RecursionError):
        code, text = "", ""
    if code == "not_found":
        return NotFoundError(text or "not there", where=where)
    do = "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET" if status in (401, 403) else ""
    return RoomError(f"HTTP {status}{f', {text}' if text else ''}", where=where, do=do)
