"""A protocol and a server that answers it, without a socket between them."""

import json
from typing import Any

from sidecar.rooms.events import Offered
from sidecar.rooms.janus.exchange import JanusEvent
from sidecar.rooms.janus.protocol import JanusProtocol
from tests.sidecar.rooms.janus.fake import FakeJanus


class Conversation:
    """A protocol, a fake server that answers it, and all requests and events so far."""

    def __init__(self, *feeds: int, **given: str) -> None:
        self.server = FakeJanus(feeds)
        self.protocol = JanusProtocol("1234", **given)
        self.events: list[JanusEvent] = []
        self.requests: list[dict[str, Any]] = []
        self.protocol.connect()

    def exchange(self) -> None:
        """Let the server answer until neither side has more to send; offers are answered too."""
        self.collect()
        while requests := self.protocol.requests_to_send():
            for request in requests:
                self.requests.append(request)
                for text in self.server.answers(request):
                    self.receive(text)

    def collect(self) -> None:
        """Take the protocol's events."""
        for event in self.protocol.events_received():
            self.events.append(event)
            if isinstance(event, Offered):
                self.protocol.answer(event.stream, "v=0")

    def receive(self, message: str | bytes | dict[str, Any]) -> None:
        """The server sends a message."""
        self.protocol.receive(json.dumps(message) if isinstance(message, dict) else message)
        self.collect()

    def tick(self, count: int) -> None:
        """Let ``count`` ticks pass."""
        for _ in range(count):
            self.protocol.tick()
            self.exchange()

    def plugin(self, handle: int, **data: object) -> None:
        """The server sends an event of the plugin over a handle."""
        self.receive({"janus": "event", "sender": handle, "plugindata": {"data": data}})

    def give_up(self, participant: str, reason: str) -> None:
        """The newest connection for a participant fails."""
        streams = [each.stream for each in self.of(Offered) if each.participant == participant]
        self.protocol.give_up(streams[-1] if streams else "", reason)

    def bodies(self, request: str) -> list[dict[str, Any]]:
        """Every request of one kind to the plugin."""
        return [
            sent["body"]
            for sent in self.requests
            if sent["janus"] == "message" and sent["body"]["request"] == request
        ]

    def handle(self, request: str) -> int:
        """The handle that the newest request of one kind was sent over."""
        return next(
            int(sent["handle_id"])
            for sent in reversed(self.requests)
            if sent["janus"] == "message" and sent["body"]["request"] == request
        )

    def of(self, kind: type[JanusEvent]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def offered(self) -> list[str]:
        """The participants whose cameras were offered, in order."""
        return [event.participant for event in self.of(Offered)]


def receiving(*feeds: int, **given: str) -> Conversation:
    """A conversation in which every feed is being received."""
    conversation = Conversation(*feeds, **given)
    conversation.exchange()
    conversation.tick(1)
    assert len(conversation.offered()) == len(feeds)
    return conversation
