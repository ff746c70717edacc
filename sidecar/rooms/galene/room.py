"""A group of a Galène server as a ``Room``: one client, one connection a camera."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import structlog
from aiortc import RTCPeerConnection

from config.errors import RefusedError, RoomError
from sidecar.aio import Component, TaskSet, close_all
from sidecar.plain_text import clean_text
from sidecar.rooms.base import (
    ConsentChanged,
    JoinOptions,
    ReceiverConstraints,
    RoomChange,
    SensitivityChosen,
    TrackSource,
)
from sidecar.rooms.changes import RoomChanges, failed_room
from sidecar.rooms.events import (
    Answered,
    CandidateReceived,
    Closed,
    Entered,
    Offered,
    ParticipantsChanged,
    Redirected,
    Refused,
    Unpublished,
)
from sidecar.rooms.galene.protocol import (
    GaleneEvent,
    GaleneProtocol,
    ServerWarning,
    StreamWithheld,
)
from sidecar.rooms.galene.publisher import GalenePublisher
from sidecar.rooms.galene.subscriber import GaleneSubscriber
from sidecar.rooms.galene.transport import (
    MAX_REDIRECTS,
    GaleneHttp,
    GaleneTimeouts,
    GaleneTransport,
    GroupStatus,
)
from sidecar.rooms.galene.url import GroupCredentials, GroupUrl, resolve_redirect
from sidecar.rooms.http import open_http

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Membership:
    """What there is while we are in the group."""

    transport: GaleneTransport
    subscriber: GaleneSubscriber
    publisher: GalenePublisher


class GaleneRoom(Component):
    """The group at ``url``, joined as one client that all participants see (implements ``Room``).

    A background task that fails ends the room with an error, so that it is joined again.
    """

    def __init__(
        self,
        url: GroupUrl,
        credentials: GroupCredentials,
        options: JoinOptions,
        timeouts: GaleneTimeouts | None = None,
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._options = options
        self._timeouts = timeouts or GaleneTimeouts()
        self._name = url.name
        self._changes = RoomChanges()
        self._tasks = TaskSet(self._on_task_failure)
        self._resources = AsyncExitStack()
        self._membership: _Membership | None = None

    @property
    def name(self) -> str:
        return clean_text(self._name)

    async def start(self) -> None:
        """Join the group; raises RefusedError where it refuses us, RoomError for other failures."""
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(open_http())
            stack.push_async_callback(self._close_connections)
            await stack.enter_async_context(self._tasks)
            transport, entered = await self._join(http, stack)
            parts = (transport, self._tasks)
            membership = self._membership = _Membership(
                transport,
                GaleneSubscriber(*parts, self._changes, self._options, self._timeouts),
                GalenePublisher(*parts, self._options, self._timeouts),
            )
            self._handle(membership, entered)
            self._tasks.create_task(self._receive(membership), name="galene room")
            self._tasks.create_task(self._maintain(membership), name="galene layers")
            self._resources = stack.pop_all()

    async def aclose(self) -> None:
        """Leave the group, then free everything: a dead server takes 2 s."""
        self._changes.end()
        await self._resources.aclose()

    def changes(self) -> AsyncGenerator[RoomChange]:
        return self._changes.follow()

    async def publish(self, composite: TrackSource) -> None:
        """Publish the composite as a camera of ours; raises RefusedError where we may not."""
        if self._membership is None:
            raise RoomError("the group is not joined", where=self._url.url)
        await self._membership.publisher.publish(composite)

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        if self._membership is not None:
            self._membership.subscriber.constrain(participant, want)

    async def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` to every client's program, by a user message that people don't see."""
        if self._membership is not None:
            with self._membership.transport.send_context() as protocol:
                protocol.announce(dict(event))

    def peers(self) -> Sequence[RTCPeerConnection]:
        if self._membership is None:
            return []
        membership = self._membership
        return [*membership.subscriber.connections(), *membership.publisher.connections()]

    async def _join(
        self, http: aiohttp.ClientSession, stack: AsyncExitStack
    ) -> tuple[GaleneTransport, Entered]:
        """Join the group, at the place that the server redirects to."""
        requests = GaleneHttp(http, self._timeouts)
        url = self._url
        for _ in range(MAX_REDIRECTS):
            group = await requests.find_group(url, self._credentials)
            credentials = await requests.authorise(group, self._credentials)
            protocol = GaleneProtocol(secrets.token_hex(16), group.name, credentials)
            async with AsyncExitStack() as attempt:
                transport = GaleneTransport(protocol, group, self._tasks, self._timeouts)
                attempt.push_async_callback(transport.aclose)
                await transport.connect(http)
                decision = await self._wait_for_decision(transport, group)
                if isinstance(decision, Entered):
                    self._name = group.name
                    stack.push_async_exit(attempt.pop_all())
                    return transport, decision
            url = resolve_redirect(group.url, decision.location, self._credentials)
        raise RefusedError("the group redirects too often", where=self._url.url)

    async def _wait_for_decision(
        self, transport: GaleneTransport, group: GroupStatus
    ) -> Entered | Redirected:
        """The server's decision about our wish to join; raises RoomError where it refuses."""
        where = group.url.url
        try:
            async with asyncio.timeout(self._timeouts.join):
                async for event in transport:
                    match event:
                        case Entered() | Redirected():
                            return event
                        case Refused():
                            raise event.error(where)
        except TimeoutError as error:
            raise RoomError("the server did not admit the sidecar in time", where=where) from error
        raise RoomError("the server did not admit the sidecar", where=where)

    async def _receive(self, membership: _Membership) -> None:
        """Handle each event until the connection is lost or the group removes the sidecar."""
        async for event in membership.transport:
            self._handle(membership, event)
            if self._changes.ended:
                return

    def _handle(self, membership: _Membership, event: GaleneEvent) -> None:
        subscriber, publisher = membership.subscriber, membership.publisher
        match event:
            case Entered():
                subscriber.configure(event)
                publisher.configure(event)
            case Refused():
                self._changes.end(event.error(self._url.url))
            case ConsentChanged():
                self._changes.choose(event.participant, event.consent)
            case SensitivityChosen():
                self._changes.choose_sensitivity(event.participant, event.sensitivity)
            case Offered() | Closed() | StreamWithheld():
                subscriber.handle(event)
            case CandidateReceived():
                subscriber.handle(event)
                publisher.handle(event)
            case Answered() | Unpublished() | ParticipantsChanged():
                publisher.handle(event)
            case ServerWarning():
                log.warning("server reported an error", room=self._name, reason=event.text)
                publisher.handle(event)

    async def _maintain(self, membership: _Membership) -> None:
        """Write the notice into the chat, then keep the layers as the constraints need them."""
        # By then the chat's history has come, which may have our notice already.
        await asyncio.sleep(self._timeouts.layers)
        with membership.transport.send_context() as protocol:
            protocol.notify()
        while True:
            membership.subscriber.update_layers()
            await asyncio.sleep(self._timeouts.layers)

    async def _close_connections(self) -> None:
        membership, self._membership = self._membership, None
        if membership is not None:
            await close_all((membership.subscriber, membership.publisher))

    def _on_task_failure(self, error: Exception) -> None:
        """End the room; the task set has logged the reason."""
        self._changes.end(failed_room(error, self._url.url))
