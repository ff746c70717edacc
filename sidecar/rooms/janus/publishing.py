"""The one participant that others see: the composite's publisher. Pure."""

from collections.abc import Iterable
from typing import Final

from sidecar.rooms.janus.events import (
    Event,
    Failed,
    NotPublished,
    Published,
    Trickled,
    Unpublished,
)
from sidecar.rooms.janus.messages import Description, Id, Message, identity
from sidecar.rooms.janus.requests import Requests
from sidecar.rooms.janus.subscriptions import COMPOSITE

ROOM_FULL: Final = 432


class Publishing:
    """Joins as a publisher under a name of ours, and offers the composite."""

    def __init__(self, requests: Requests, pin: str) -> None:
        self._requests = requests
        self._pin = pin
        self._offer: Description | None = None
        self._mid = ""
        self._live = False
        self.handle: int | None = None
        self.id: Id | None = None
        """Who we are to the others."""
        self.private_id: int | None = None

    def begin(self, room: Id, name: str, offer: str, mid: str) -> None:
        """Join ``room`` as ``name`` and publish what ``offer`` has on the line ``mid``."""
        self._offer, self._mid = Description("offer", offer), mid
        self._requests.attach(lambda message: self._attached(room, name, message))

    def happened(self, message: Message) -> Iterable[Event]:
        """An event came over the publisher's handle."""
        match message.kind, message.about:
            case (("hangup" | "detached"), _) if self._live:
                self._live = False
                yield Unpublished(message.reason or "the server hung up")
            case "trickle", _:
                yield Trickled(None, message.candidate)
            case _, "event" if message.plugin.get("leaving") == "ok":
                self._live = False
                why = message.reason or "removed"
                yield Failed(f"the sidecar was {why}", final=True)

    def reconnected(self) -> Iterable[Event]:
        """What was under way over the old connection to the server is lost."""
        if self._offer is not None and not self._live:
            yield from self._refuse("the connection to the server was lost")

    def _attached(self, room: Id, name: str, message: Message) -> Iterable[Event]:
        if message.id is None:
            return self._refuse(message.reason)
        self.handle = message.id
        body = {"request": "join", "ptype": "publisher", "room": room, "display": name}
        if self._pin:
            body["pin"] = self._pin
        self._requests.message(self.handle, body, self._joined)
        return ()

    def _joined(self, message: Message) -> Iterable[Event]:
        self.id = identity(message.plugin.get("id"))
        if message.about != "joined" or self.id is None or self.handle is None:
            return self._refuse(message.reason)
        private_id = message.plugin.get("private_id")
        self.private_id = private_id if isinstance(private_id, int) else None
        body = {
            "request": "publish",
            "descriptions": [{"mid": self._mid, "description": COMPOSITE}],
        }
        self._requests.message(self.handle, body, self._configured, self._offer)
        return ()

    def _configured(self, message: Message) -> Iterable[Event]:
        answer = message.description
        if message.code == ROOM_FULL:
            return self._refuse(
                message.reason or "the room takes no more publishers",
                do="raise publishers in the room's configuration, or publish nothing into the room",
            )
        if message.code is not None or answer is None or answer.kind != "answer":
            return self._refuse(message.reason)
        if not any(stream.codec.lower() == "vp8" for stream in message.streams):
            return self._refuse(
                "the room takes no VP8, which the composite is sent as",
                do='set videocodec = "vp8" or "vp8,h264" for the room',
                final=True,
            )
        self._live = True
        return (Published(answer.sdp),)

    def _refuse(self, what: str, do: str = "", *, final: bool = False) -> Iterable[Event]:
        self._offer = None
        self._requests.detach(self.handle)
        self.handle = self.id = None
        return (NotPublished(what or "the server's answer makes no sense", do, final),)
