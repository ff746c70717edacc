"""Recorded meetings of a sidecar and a real Janus, to be replayed without a server.

A transcript is a file of JSON lines, each a step: ``do`` a method of the protocol, ``receive``
a message; then what followed: ``send`` a request, an ``event``, the ``participants`` as they are.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any, TypeAlias

from sidecar.rooms.events import ParticipantsChanged
from sidecar.rooms.janus.exchange import JanusEvent
from sidecar.rooms.janus.messages import JanusLayer
from sidecar.rooms.janus.protocol import JanusProtocol

FOLDER = Path(__file__).with_name("transcripts")
Step: TypeAlias = dict[str, Any]
KEPT = ("v=", "m=", "a=mid", "a=rtpmap", "a=sendonly", "a=recvonly", "a=inactive")
"""What is kept of descriptions: the protocol passes them on unread."""
ABOUT = ("janus", "transaction", "name", "version", "version_string", "data_channels")
"""What is kept of a server's description of itself."""


def shorten(sdp: str) -> str:
    """A description without candidates, addresses, keys and the like."""
    return "".join(f"{line}\r\n" for line in sdp.splitlines() if line.startswith(KEPT))


def load(name: str) -> list[Step]:
    """The steps of a transcript."""
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]


def received(name: str) -> list[str]:
    """Every message of the server's in a transcript."""
    return [json.dumps(step["receive"]) for step in load(name) if "receive" in step]


class Recording(JanusProtocol):
    """A protocol that writes down every call of it, its requests and its events."""

    steps: list[Step]

    def __init__(self, room: str, **given: str) -> None:
        super().__init__(room, **given)
        self.steps = [{"do": "make", "args": [room], "given": given}]

    def requests_to_send(self) -> list[dict[str, object]]:
        requests = super().requests_to_send()
        self.steps += [{"send": short(request)} for request in requests]
        return requests

    def events_received(self) -> list[JanusEvent]:
        events = super().events_received()
        self.steps += steps_of(events, self)
        return events

    def connect(self) -> None:
        self._do("connect")
        super().connect()

    def receive(self, text: str | bytes) -> None:
        self.steps += [{"receive": short(message)} for message in _split(json.loads(text))]
        super().receive(text)

    def tick(self) -> None:
        self._do("tick")
        super().tick()

    def keep_alive(self) -> None:
        self._do("keep_alive")
        super().keep_alive()

    def answer(self, stream: str, sdp: str) -> None:
        self._do("answer", stream, shorten(sdp))
        super().answer(stream, sdp)

    def give_up(self, stream: str, reason: str) -> None:
        self._do("give_up", stream, reason)
        super().give_up(stream, reason)

    def prefer(self, participant: str, layer: JanusLayer) -> None:
        self._do("prefer", participant, *astuple(layer))
        super().prefer(participant, layer)

    def publish(self, name: str, offer: str, mid: str) -> None:
        self._do("publish", name, shorten(offer), mid)
        super().publish(name, offer, mid)

    def leave(self) -> None:
        self._do("leave")
        super().leave()

    def _do(self, method: str, *args: object) -> None:
        self.steps.append({"do": method, "args": list(args)})


def steps_of(events: Iterable[JanusEvent], protocol: JanusProtocol) -> Iterator[Step]:
    """The steps for ``events``, with the participants where they have changed."""
    for event in events:
        yield {"event": repr(event)}
        if isinstance(event, ParticipantsChanged):
            present = protocol.participants.items()
            yield {"participants": {who: [each.name, each.problem] for who, each in present}}


def replay(steps: Iterable[Step]) -> tuple[list[Step], list[Step]]:
    """Repeat the calls and messages: what followed in the recording, and what follows now."""
    protocol, replayed, recorded = JanusProtocol(""), list[Step](), list[Step]()
    for step in steps:
        match step:
            case {"do": "make", "args": [room], "given": given}:
                protocol = JanusProtocol(room, **given)
            case {"do": "prefer", "args": [participant, *values]}:
                protocol.prefer(participant, JanusLayer(*values))
            case {"do": name, "args": args}:
                getattr(protocol, name)(*args)
            case {"receive": message}:
                protocol.receive(json.dumps(message))
            case _:
                recorded.append(step)
                continue
        replayed.extend({"send": request} for request in protocol.requests_to_send())
        replayed.extend(steps_of(protocol.events_received(), protocol))
    return by_kind(recorded), by_kind(replayed)


def by_kind(steps: Iterable[Step]) -> list[Step]:
    """Requests first, then the rest: two tasks take them, in either order."""
    ordered = list(steps)
    return sorted(ordered, key=lambda step: "send" not in step)


def short(message: Step) -> Step:
    """A message without what says more about this machine than about the protocol."""
    if message["janus"] == "server_info":
        return {key: value for key, value in message.items() if key in ABOUT}
    if "jsep" not in message:
        return message
    jsep = message["jsep"]
    return {**message, "jsep": {**jsep, "sdp": shorten(jsep["sdp"])}}


def _split(message: Any) -> list[Step]:
    return message if isinstance(message, list) else [message]
