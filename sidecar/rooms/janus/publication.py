"""Our publication of the composite in the VideoRoom, as its participant. Pure."""

from typing import Final

from sidecar.rooms.events import Answered, PublishRefused, Refused, Unpublished
from sidecar.rooms.janus.exchange import JanusExchange
from sidecar.rooms.janus.messages import JanusErrorCode, JanusId, JanusMessage, Jsep, janus_id

PUBLISHER: Final = "publisher"
"""The stream of the composite, in events."""


class JanusPublication:
    """Joins the room as a participant, and publishes the composite."""

    def __init__(self, exchange: JanusExchange) -> None:
        self._exchange = exchange
        self._offer: Jsep | None = None
        self._name = self._mid = ""
        self._live = False
        self.handle: int | None = None
        self.id: JanusId | None = None
        """Our id as a participant."""

    def begin(self, name: str, offer: str, mid: str) -> None:
        """Join as ``name``, and publish by ``offer``, whose video section is ``mid``."""
        self._name, self._mid = name, mid
        self._offer = Jsep("offer", offer)
        self._exchange.attach(self._attached)

    def handle_event(self, message: JanusMessage) -> Refused | None:
        """Take a message of the publisher's handle; returns what ends the whole session."""
        match message.kind, message.event:
            case (("hangup" | "detached"), _) if self._live:
                self._live = False
                reason = message.reason or "the server hung up"
                self._exchange.emit(Unpublished(PUBLISHER, reason))
            case "trickle", _:
                self._exchange.candidate(PUBLISHER, message)
            case _, "event" if message.plugin.get("leaving") == "ok":
                self._live = False
                return Refused(f"the sidecar was {message.reason or 'removed'}")
        return None

    def resume(self) -> None:
        """The session has a new connection: what was not answered over the old one is lost."""
        if self._offer is not None and not self._live:
            self._refuse("the connection to the server was lost")

    def _attached(self, message: JanusMessage) -> None:
        if message.id is None:
            return self._refuse(message.reason)
        self.handle = message.id
        body = self._exchange.bodies.join_publisher(self._name)
        return self._exchange.message(self.handle, body, self._joined)

    def _joined(self, message: JanusMessage) -> None:
        self.id = janus_id(message.plugin.get("id"))
        if message.event != "joined" or self.id is None or self.handle is None:
            return self._refuse(message.reason)
        private_id = message.plugin.get("private_id")
        if isinstance(private_id, int):
            self._exchange.private_id = private_id
        body = self._exchange.bodies.publish(self._mid)
        return self._exchange.message(self.handle, body, self._published, self._offer)

    def _published(self, message: JanusMessage) -> None:
        answer = message.jsep
        if message.code == JanusErrorCode.PUBLISHERS_FULL:
            return self._refuse(
                message.reason or "the room takes no more publishers",
                do="raise publishers in the room's configuration, or publish nothing into the room",
            )
        if message.code is not None or answer is None or answer.kind != "answer":
            return self._refuse(message.reason)
        if not any(stream.codec.lower() == "vp8" for stream in message.streams):
            return self._refuse(
                "the room takes no VP8, the codec of the composite",
                do='set videocodec = "vp8" or "vp8,h264" for the room',
                final=True,
            )
        self._live = True
        return self._exchange.emit(Answered(PUBLISHER, answer.sdp))

    def _refuse(self, what: str, do: str = "", *, final: bool = False) -> None:
        self._offer = None
        self._exchange.detach(self.handle)
        self.handle = self.id = None
        self._exchange.emit(PublishRefused(what or "malformed answer", do, final))
