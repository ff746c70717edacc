"""A protocol and a server that answers it, without a socket between them."""

import json
from typing import Any

from sidecar.rooms.janus.events import Event, Offered
from sidecar.rooms.janus.protocol import JanusProtocol
from tests.sidecar.rooms.janus.fake import FakeJanus


class Conversation:
    """A protocol, a fake server that answers it until it is told to be silent, and all events."""

    def __init__(self, *feeds: int, **given: str) -> None:
        self.server = FakeJanus(feeds)
        self.protocol = JanusProtocol("1234", **given)
        self.events: list[Event] = []
        self.said: list[dict[str, Any]] = []
        self.protocol.open()

    def exchange(self) -> None:
        """Let the server answer until neither has anything to say; offers are answered too."""
        while requests := self.protocol.take():
            for request in requests:
                self.said.append(request)
                for text in self.server.answers(request):
                    self.hear(text)

    def hear(self, message: str | dict[str, Any]) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        for event in self.protocol.receive(text):
            self.events.append(event)
            if isinstance(event, Offered):
                self.protocol.answer(event.feed, "v=0")

    def rounds(self, count: int) -> None:
        for _ in range(count):
            self.events += self.protocol.round()
            self.exchange()

    def plugin(self, handle: int, **data: object) -> None:
        """The server tells something over a handle."""
        self.hear({"janus": "event", "sender": handle, "plugindata": {"data": data}})

    def bodies(self, request: str) -> list[dict[str, Any]]:
        """Every request of one kind to the plugin."""
        return [
            said["body"]
            for said in self.said
            if said["janus"] == "message" and said["body"]["request"] == request
        ]

    def handle(self, request: str) -> int:
        """The handle that the newest request of one kind was sent over."""
        return next(
            int(said["handle_id"])
            for said in reversed(self.said)
            if said["janus"] == "message" and said["body"]["request"] == request
        )

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def watching(*feeds: int, **given: str) -> Conversation:
    """A conversation in which every feed is being watched."""
    conversation = Conversation(*feeds, **given)
    conversation.exchange()
    conversation.rounds(1)
    assert len(conversation.of(Offered)) == len(feeds)
    return conversation
