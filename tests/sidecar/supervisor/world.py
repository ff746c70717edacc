"""A supervisor over fake rooms."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.errors import InferenceError, RefusedError
from sidecar.supervisor.admission import CostTable
from sidecar.supervisor.control import Begin
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.room_parts import RoomParts, SupervisorOptions
from sidecar.supervisor.secrets import SecretReferences, SecretStore
from sidecar.supervisor.supervised_room import RoomLimits
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest, RoomState, RoomView
from sidecar.supervisor.webhooks import WebhookOptions
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.fake_handle import FakeHandle

COSTS = CostTable(base=0.4, composite=0.0, participant=0.0, sample=0.0, viewer=0.0)
OPTIONS = SupervisorOptions(cores=1.0, costs=COSTS)
REFERENCES = SecretReferences({"TOKEN": "from-environment"}, frozenset({"TOKEN"}))
REQUEST = RoomRequest(url="wss://user:pass@sfu.example#room")


class World:
    """A supervisor over fake rooms."""

    def __init__(
        self,
        journal: Path | None = None,
        *,
        memory_warn: int = 0,
        memory_limit: int = 0,
        webhooks: WebhookOptions | None = None,
        limits: RoomLimits | None = None,
    ) -> None:
        self.handles: list[FakeHandle] = []
        self.make: Callable[[], FakeHandle] = FakeHandle
        self.table: Callable[[str], Mapping[str, Any]] = lambda room: {}
        self.labels: Callable[[str], Collection[str]] = lambda room: ()
        self.scored: list[set[str]] = []
        self.can_score = True
        self._journal = journal
        self._options = replace(
            OPTIONS,
            memory_warn=memory_warn,
            memory_limit=memory_limit,
            webhooks=webhooks or WebhookOptions(),
            limits=limits or RoomLimits(),
        )

    @asynccontextmanager
    async def running(self, store: SecretStore | None = None) -> AsyncIterator[Supervisor]:
        supervisor = Supervisor(
            self._options,
            RoomParts(
                self._make,
                self._begin,
                self._check,
                table=lambda room: self.table(room),
                labels=lambda room: self.labels(room),
                score=self._score,
            ),
            journal=Journal(self._journal),
            store=store or SecretStore(),
            references=REFERENCES,
        )
        async with supervisor:
            yield supervisor

    def _make(self, request: RoomRequest) -> FakeHandle:
        self.handles.append(self.make())
        return self.handles[-1]

    @staticmethod
    def _begin(room: str, request: RoomRequest, secrets: Mapping[str, str]) -> Begin:
        return Begin(
            room=room, request=request, secrets=dict(secrets), settings={}, table={}, inference=""
        )

    async def _score(self, labels: Collection[str]) -> None:
        if not self.can_score:
            raise InferenceError("a worker is being started")
        self.scored.append(set(labels))

    @staticmethod
    def _check(request: RoomRequest) -> str:
        if "metadata" in request.url:
            raise RefusedError("this address may not be joined", where="url")
        return "wss://sfu.example"


async def live(supervisor: Supervisor, request: RoomRequest = REQUEST) -> RoomView:
    made, _ = await supervisor.create(request)
    room = supervisor.room(made.id)
    await eventually(lambda: room.state is RoomState.LIVE)
    return room.view()
