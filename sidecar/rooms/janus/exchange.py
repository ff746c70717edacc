"""Requests to a Janus server and what handles their answers; events in their order. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sidecar.media.ice import usable_candidate
from sidecar.rooms.events import CandidateReceived, SharedEvent
from sidecar.rooms.janus.messages import PLUGIN, JanusMessage, Jsep, VideoRoomRequests


@dataclass(frozen=True, slots=True)
class SubstreamChanged:
    """From now on the server sends another substream of a simulcast camera."""

    stream: str
    substream: int


JanusEvent: TypeAlias = SharedEvent | SubstreamChanged
Resolve: TypeAlias = Callable[[JanusMessage], None]
"""Takes the answer to a request."""


class JanusExchange:
    """What the parts of a session share: requests and what handles their answers, and events."""

    def __init__(self, bodies: VideoRoomRequests, token: str, secret: str) -> None:
        signature = {"token": token, "apisecret": secret}
        self._signature = {key: value for key, value in signature.items() if value}
        self._pending: dict[str, Resolve] = {}
        self._requests: list[dict[str, object]] = []
        self._events: list[JanusEvent] = []
        self._count = 0
        self.bodies = bodies
        self.session: int | None = None
        self.ticks = 0
        """How many ticks there were."""
        self.private_id: int | None = None
        """Of our publisher: rooms with ``require_pvtid`` show cameras to its owner alone."""
        self.over = False
        """From now on, requests and events are dropped."""

    def take_requests(self) -> list[dict[str, object]]:
        """The requests since the last call."""
        requests, self._requests = self._requests, []
        return requests

    def take_events(self) -> list[JanusEvent]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def emit(self, event: JanusEvent) -> None:
        """State what happened."""
        if not self.over:
            self._events.append(event)

    def candidate(self, stream: str, message: JanusMessage) -> None:
        """Emit the server's candidate, if it is a usable one."""
        if (candidate := usable_candidate(message.candidate)) is not None:
            self.emit(CandidateReceived(stream, candidate))

    def ask(self, kind: str, resolve: Resolve | None = None, **fields: object) -> None:
        """Make a request; ``resolve`` gets its answer, if there is one."""
        if self.over:
            return
        self._count += 1
        transaction = f"sidecar-{self._count}"
        request: dict[str, object] = {"janus": kind, "transaction": transaction, **fields}
        if self.session is not None and kind != "info":
            request["session_id"] = self.session
        if resolve is not None:
            self._pending[transaction] = resolve
        self._requests.append(request | self._signature)

    def attach(self, resolve: Resolve) -> None:
        """Ask for a new handle of the VideoRoom plugin."""
        self.ask("attach", resolve, plugin=PLUGIN)

    def message(
        self,
        handle: int,
        body: Mapping[str, object],
        resolve: Resolve | None = None,
        jsep: Jsep | None = None,
    ) -> None:
        """Make a request of the plugin."""
        fields: dict[str, object] = {"handle_id": handle, "body": body}
        if jsep is not None:
            fields["jsep"] = {"type": jsep.kind, "sdp": jsep.sdp, "trickle": False}
        self.ask("message", resolve, **fields)

    def detach(self, handle: int | None) -> None:
        """Free a handle, if there is one."""
        if handle is not None:
            self.ask("detach", handle_id=handle)

    def resolve(self, message: JanusMessage) -> bool:
        """Handle ``message`` as the answer to a request; False if it is none."""
        resolve = self._pending.pop(message.transaction, None)
        if resolve is not None:
            resolve(message)
        return resolve is not None

    def forget(self) -> None:
        """Drop the requests: those not sent, and those that will not be answered."""
        self._pending.clear()
        self._requests.clear()
