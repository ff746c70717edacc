"""A LiveKit server that dispatches as the real one does, without rooms or media."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import jwt
from aiohttp import web
from google.protobuf.message import Message
from livekit.protocol.agent import (
    AvailabilityRequest,
    Job,
    JobAssignment,
    JobState,
    JobStatus,
    JobTermination,
    JobType,
    RegisterWorkerResponse,
    ServerMessage,
    UpdateJobStatus,
    UpdateWorkerStatus,
    WorkerMessage,
    WorkerPong,
    WorkerStatus,
)
from livekit.protocol.agent_dispatch import (
    AgentDispatch,
    AgentDispatchState,
    CreateAgentDispatchRequest,
    DeleteAgentDispatchRequest,
    ListAgentDispatchRequest,
    ListAgentDispatchResponse,
)
from livekit.protocol.models import Room
from livekit.protocol.room import ListRoomsResponse

from tests.servers.livekit import SECRET

AGENT = "agent"
"""The name that workers of the tests have."""


@dataclass(eq=False)
class FakeWorkerLink:
    """One worker's connection, as the server sees it."""

    socket: web.WebSocketResponse
    statuses: list[UpdateWorkerStatus] = field(default_factory=list)
    updates: list[UpdateJobStatus] = field(default_factory=list)
    answers: dict[str, asyncio.Future[bool]] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return not self.statuses or self.statuses[-1].status == WorkerStatus.WS_FULL

    async def say(self, **fields: Message) -> None:
        await self.socket.send_bytes(ServerMessage(**fields).SerializeToString())  # type: ignore[arg-type]


class FakeLiveKit:
    """Asks its workers in their order; ``assigning`` False forgets the assignment."""

    def __init__(self) -> None:
        self.address = ""
        self.links: list[FakeWorkerLink] = []
        self.dispatches: dict[str, AgentDispatch] = {}
        self.deleted: list[str] = []
        self.assigning = True
        self.silent = 0
        """Workers that are not registered next, but get other messages."""
        self.failing: dict[str, int] = {}
        """Requests that fail next, by their method."""
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def dispatch(self, room: str, metadata: str = "", agent: str = AGENT) -> str:
        """Create a dispatch, and offer its job; the dispatch's id."""
        self._number += 1
        made = AgentDispatch(
            id=f"AD_{self._number}",
            room=room,
            metadata=metadata,
            agent_name=agent,
            state=AgentDispatchState(),
        )
        self.dispatches[made.id] = made
        self.offer(made.id)
        return made.id

    def offer(self, dispatch: str) -> None:
        """Offer the job of a dispatch, again where it runs already."""
        task = asyncio.create_task(self._offer(self.dispatches[dispatch]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def terminate(self, dispatch: str) -> None:
        """Delete a dispatch as an application does."""
        made = self.dispatches.pop(dispatch)
        for job in made.state.jobs:
            for link in self.links:
                await link.say(termination=JobTermination(job_id=job.id))

    def ended(self, link: int = 0) -> list[tuple[int, str]]:
        """The last states of jobs that a worker reported."""
        found = [one for one in self.links[link].updates if one.status != JobStatus.JS_RUNNING]
        return [(one.status, one.error) for one in found]

    async def _offer(self, made: AgentDispatch) -> None:
        job = Job(
            id=f"AJ_{made.id}",
            dispatch_id=made.id,
            type=JobType.JT_ROOM,
            room=Room(name=made.room, sid=f"RM_{made.room}"),
            metadata=made.metadata,
            agent_name=made.agent_name,
        )
        for link in list(self.links) if made.agent_name == AGENT else []:
            if link.full:
                continue
            answer = link.answers[job.id] = asyncio.get_running_loop().create_future()
            await link.say(availability=AvailabilityRequest(job=job))
            if not await answer:
                continue
            if self.assigning:
                await link.say(assignment=JobAssignment(job=job, token="token"))
            job.state.CopyFrom(JobState(status=JobStatus.JS_RUNNING))
            made.state.jobs.append(job)
            return

    async def agent(self, request: web.Request) -> web.StreamResponse:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if not jwt.decode(token, SECRET, algorithms=["HS256"])["video"].get("agent"):
            raise web.HTTPUnauthorized
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        link = FakeWorkerLink(socket)
        async for message in socket:
            await self._hear(link, WorkerMessage.FromString(message.data))
        self.links.remove(link)
        return socket

    async def _hear(self, link: FakeWorkerLink, message: WorkerMessage) -> None:
        match message.WhichOneof("message"):
            case "register" if self.silent:
                self.silent -= 1
                self.links.append(link)
                task = asyncio.create_task(_chatter(link))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case "register":
                await link.say(register=RegisterWorkerResponse(worker_id="AW_1"))
                self.links.append(link)
            case "availability":
                link.answers[message.availability.job_id].set_result(message.availability.available)
            case "update_worker":
                link.statuses.append(message.update_worker)
            case "update_job":
                link.updates.append(message.update_job)
            case "ping":
                stamp = message.ping.timestamp
                await link.say(pong=WorkerPong(last_timestamp=stamp, timestamp=stamp))

    async def twirp(self, request: web.Request) -> web.Response:
        body = await request.read()
        method = request.match_info["method"]
        if self.failing.get(method, 0) > 0:
            self.failing[method] -= 1
            return web.json_response({"code": "internal", "msg": "later"}, status=500)
        match method:
            case "ListRooms":
                names = sorted({one.room for one in self.dispatches.values()})
                rooms = [Room(name=name, sid=f"RM_{name}") for name in names]
                return _answer(ListRoomsResponse(rooms=rooms))
            case "GetParticipant":
                return web.json_response({"code": "not_found", "msg": "no"}, status=404)
            case "ListDispatch":
                room = ListAgentDispatchRequest.FromString(body).room
                found = [one for one in self.dispatches.values() if one.room == room]
                return _answer(ListAgentDispatchResponse(agent_dispatches=found))
            case "DeleteDispatch":
                wanted = DeleteAgentDispatchRequest.FromString(body).dispatch_id
                if (gone := self.dispatches.pop(wanted, None)) is None:
                    return web.json_response({"code": "not_found", "msg": "no"}, status=404)
                self.deleted.append(wanted)
                return _answer(gone)
            case _:
                asked = CreateAgentDispatchRequest.FromString(body)
                made = self.dispatch(asked.room, asked.metadata, asked.agent_name)
                return _answer(self.dispatches[made])


async def _chatter(link: FakeWorkerLink) -> None:
    with contextlib.suppress(ConnectionError):
        while not link.socket.closed:
            await link.say(pong=WorkerPong())
            await asyncio.sleep(0.05)


def _answer(message: Message) -> web.Response:
    return web.Response(body=message.SerializeToString(), content_type="application/protobuf")


@asynccontextmanager
async def fake_livekit() -> AsyncIterator[FakeLiveKit]:
    """A running server."""
    fake = FakeLiveKit()
    app = web.Application()
    app.router.add_get("/agent", fake.agent)
    app.router.add_post("/twirp/{service}/{method}", fake.twirp)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        fake.address = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        yield fake
    finally:
        await runner.cleanup()
