"""The streams of a group that concern us: cameras coming down, the composite going up. Pure.

A stream is one peer connection, its sender always makes the offer, and its id is unique.
"""

from collections.abc import Callable
from typing import Final, Protocol

from aiortc import RTCIceCandidate

from sidecar.rooms.galene import messages
from sidecar.rooms.galene.events import (
    Answered,
    Closed,
    Event,
    Lost,
    Offered,
    Trickled,
    Withheld,
)
from sidecar.rooms.galene.messages import Message
from sidecar.rooms.galene.roster import Client

CAMERA: Final = "camera"
NO_CAMERAS: Final = ("screenshare", "video")
"""Labels of streams that show no person: a screen, and a file that somebody plays."""
MAX_STREAMS: Final = 500
MAX_EARLY: Final = 64
"""Candidates, and streams of such, that are kept for an offer to come."""


class Send(Protocol):
    """Puts a message of a type with these fields into the outbox."""

    def __call__(self, message: str, /, **fields: object) -> None: ...


class Streams:
    """Which streams there are, in both directions; ``send`` is how the server is told."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._down: dict[str, str] = {}
        """Whose camera each is, by the client's id."""
        self._up: set[str] = set()
        self._aborted: set[str] = set()
        """Sent back; the server confirms that by closing them."""
        self._early: dict[str, list[RTCIceCandidate]] = {}

    # What we do.

    def ask_layer(self, stream: str, *, low: bool) -> None:
        """Ask for the lowest or the highest layer of one camera."""
        if stream in self._down:
            self._send("requestStream", id=stream, request=["video-low" if low else "video"])

    def answer(self, stream: str, sdp: str) -> None:
        """Take a camera that was offered; one that is gone meanwhile is left alone."""
        if stream in self._down:
            self._send("answer", id=stream, sdp=sdp)

    def abort(self, stream: str) -> None:
        """Give a camera back."""
        if self._down.pop(stream, None) is not None:
            self._refuse(stream)

    def offer(
        self, stream: str, sdp: str, *, source: str, username: str, replaces: str = ""
    ) -> None:
        """Show a stream of our own, as a camera."""
        self._up.discard(replaces)
        self._up.add(stream)
        who = {"source": source, "username": username}
        self._send("offer", id=stream, label=CAMERA, replace=replaces or None, sdp=sdp, **who)

    def withdraw(self, stream: str) -> None:
        """Take a stream of our own away."""
        if stream in self._up:
            self._up.discard(stream)
            self._send("close", id=stream)

    def withdraw_all(self) -> None:
        """Take every stream of our own away."""
        for stream in tuple(self._up):
            self.withdraw(stream)

    # What comes.

    def offered(self, message: Message, find: Callable[[Message], Client | None]) -> list[Event]:
        """An ``offer``; ``find`` tells who its source is."""
        stream, sdp = messages.identifier(message), messages.description(message)
        if not stream or stream in self._up:
            return []
        owner = find(message)
        full = stream not in self._down and len(self._down) >= MAX_STREAMS
        no_camera = message.get("label") in NO_CAMERAS
        if owner is None or owner.sidecar or no_camera or full or not sdp:
            self._refuse(stream)
            return [] if self._down.pop(stream, None) is None else [Closed(stream)]
        replaces = messages.identifier(message, "replace")
        self._down.pop(replaces, None)
        self._down[stream] = messages.identifier(message, "source")
        offer = Offered(stream, owner.participant, owner.name, sdp, replaces)
        return [offer, *(Trickled(stream, early) for early in self._early.pop(stream, ()))]

    def answered(self, message: Message) -> list[Event]:
        """An ``answer``."""
        stream, sdp = messages.identifier(message), messages.description(message)
        return [Answered(stream, sdp)] if stream in self._up and sdp else []

    def trickled(self, message: Message) -> list[Event]:
        """An ``ice``, which may come before the offer that it belongs to."""
        stream, candidate = messages.identifier(message), None
        if stream:
            candidate = messages.candidate(message.get("candidate"))
        if candidate is None:
            return []
        if stream in self._down or stream in self._up:
            return [Trickled(stream, candidate)]
        early = self._early.setdefault(stream, [])
        if len(early) < MAX_EARLY:
            early.append(candidate)
        if len(self._early) > MAX_EARLY:
            del self._early[next(iter(self._early))]
        return []

    def closed(self, message: Message) -> list[Event]:
        """A ``close``: every client is told of streams that it never had, too."""
        stream = messages.identifier(message)
        self._early.pop(stream, None)
        if self._down.pop(stream, None) is not None:
            return [Closed(stream)]
        if stream in self._aborted:
            self._aborted.discard(stream)
            return []
        return [Withheld(stream)] if stream else []

    def lost(self, message: Message) -> list[Event]:
        """An ``abort`` or a ``renegotiate`` of our own stream."""
        stream = messages.identifier(message)
        if stream not in self._up:
            return []
        if message.get("type") == "abort":
            self._up.discard(stream)
        return [Lost(stream)]

    def forget(self, client: str, *, refuse: bool = False) -> list[Event]:
        """No more streams of ``client``, who left or, with ``refuse``, is none to be watched."""
        streams = [stream for stream, source in self._down.items() if source == client]
        for stream in streams:
            del self._down[stream]
            if refuse:
                self._refuse(stream)
        return [Closed(stream) for stream in streams]

    def _refuse(self, stream: str) -> None:
        if len(self._aborted) < MAX_STREAMS:
            self._aborted.add(stream)
        self._send("abort", id=stream)
