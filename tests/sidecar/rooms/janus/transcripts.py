"""What a sidecar and a real Janus said to each other, kept to be said again."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from sidecar.rooms.janus.events import Event
from sidecar.rooms.janus.protocol import JanusProtocol
from sidecar.rooms.janus.subscription import Layer

FOLDER = Path(__file__).with_name("transcripts")
Step: TypeAlias = dict[str, Any]
KEPT = ("v=", "m=", "a=mid", "a=rtpmap", "a=sendonly", "a=recvonly", "a=inactive")
"""What is kept of descriptions: the protocol passes them on unread."""
ABOUT = ("janus", "transaction", "name", "version", "version_string", "data_channels")
"""What is kept of what a server tells about itself."""


def shorten(sdp: str) -> str:
    """A description without candidates, addresses, keys and the like."""
    return "".join(f"{line}\r\n" for line in sdp.splitlines() if line.startswith(KEPT))


def load(name: str) -> list[Step]:
    """The steps of a transcript."""
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]


def heard(name: str) -> list[str]:
    """Every message of the server's in a transcript."""
    return [json.dumps(step["hear"]) for step in load(name) if "hear" in step]


class Recording(JanusProtocol):
    """A protocol that writes down what is done with it, and what it says to that."""

    steps: list[Step]

    def __init__(self, room: str, **given: str) -> None:
        super().__init__(room, **given)
        self.steps = [{"do": "make", "args": [room], "given": given}]

    def take(self) -> list[dict[str, object]]:
        taken = super().take()
        for request in taken:
            self.steps.append({"say": short(request)})
        return taken

    def open(self) -> None:
        self.steps.append({"do": "open", "args": []})
        super().open()

    def receive(self, text: str | bytes) -> list[Event]:
        for message in _split(json.loads(text)):
            self.steps.append({"hear": short(message)})
        return self._told(super().receive(text))

    def round(self) -> list[Event]:
        self.steps.append({"do": "round", "args": []})
        return self._told(super().round())

    def answer(self, feed: str, sdp: str) -> None:
        self.steps.append({"do": "answer", "args": [feed, shorten(sdp)]})
        super().answer(feed, sdp)

    def give_up(self, feed: str, problem: str) -> list[Event]:
        self.steps.append({"do": "give_up", "args": [feed, problem]})
        return self._told(super().give_up(feed, problem))

    def prefer(self, feed: str, layer: Layer) -> None:
        values = [layer.substream, layer.temporal, layer.send]
        self.steps.append({"do": "prefer", "args": [feed, *values]})
        super().prefer(feed, layer)

    def publish(self, name: str, offer: str, mid: str) -> None:
        self.steps.append({"do": "publish", "args": [name, shorten(offer), mid]})
        super().publish(name, offer, mid)

    def leave(self) -> None:
        self.steps.append({"do": "leave", "args": []})
        super().leave()

    def _told(self, events: list[Event]) -> list[Event]:
        self.steps += [{"told": repr(event)} for event in events]
        return events


def replay(steps: Iterable[Step]) -> tuple[list[Step], list[Step]]:
    """Do again what was done: what was said and told then, and what is now."""
    protocol, now, then = JanusProtocol(""), list[Step](), list[Step]()

    def tell(events: list[Event]) -> None:
        now.extend({"told": repr(event)} for event in events)

    for step in steps:
        match step:
            case {"do": "make", "args": [room], "given": given}:
                protocol = JanusProtocol(room, **given)
            case {"do": "prefer", "args": [feed, *values]}:
                protocol.prefer(feed, Layer(*values))
            case {"do": name, "args": args}:
                tell(getattr(protocol, name)(*args) or [])
            case {"hear": message}:
                tell(protocol.receive(json.dumps(message)))
            case _:
                then.append(step)
        now.extend({"say": request} for request in protocol.take())
    return then, now


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
