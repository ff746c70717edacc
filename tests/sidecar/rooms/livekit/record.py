"""``python -m tests.sidecar.rooms.livekit.record``: records what a real server says, for replay.

Writes ``transcripts/*.jsonl`` beside this file, a message a line, as protobuf's own JSON.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from google.protobuf.json_format import MessageToDict, ParseDict
from livekit.protocol.rtc import SignalResponse

from sidecar.rooms.base import Consent, ReceiverConstraints
from sidecar.rooms.events import Entered
from sidecar.rooms.livekit import transport
from sidecar.rooms.livekit.encryption import KeyRing
from sidecar.rooms.livekit.protocol import LiveKitEvent, LiveKitProtocol
from tests.servers.livekit import LiveKit, livekit
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.livekit.admin import call
from tests.sidecar.rooms.livekit.conftest import seen
from tests.sidecar.rooms.livekit.guest import joined

FOLDER: Final = Path(__file__).with_name("transcripts")


def transcript(name: str) -> list[bytes]:
    """The messages of a recording, as they came over the wire."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [ParseDict(json.loads(line), SignalResponse()).SerializeToString() for line in lines]


class _Recorder(LiveKitProtocol):
    """A protocol that records the messages it receives, by the role of its participant."""

    recorded: dict[str, list[bytes]]

    def __init__(self, *, watches: bool = True, ring: KeyRing | None = None) -> None:
        super().__init__(watches=watches, ring=ring)
        self._messages: list[bytes] = []

    def receive(self, data: bytes | str) -> Sequence[LiveKitEvent]:
        events = super().receive(data)
        if isinstance(data, bytes):
            self._messages.append(data)
        for event in events:
            if isinstance(event, Entered):
                role = "watcher" if "watcher" in event.identity else "publisher"
                self.recorded[role] = self._messages
        return events


@contextmanager
def _recording() -> Iterator[dict[str, list[bytes]]]:
    _Recorder.recorded = {}
    vars(transport)["LiveKitProtocol"] = _Recorder
    try:
        yield _Recorder.recorded
    finally:
        vars(transport)["LiveKitProtocol"] = LiveKitProtocol


def _write(name: str, messages: Sequence[bytes]) -> None:
    lines = []
    for data in messages:
        fields = MessageToDict(SignalResponse.FromString(data))
        if "refreshToken" in fields:
            fields["refreshToken"] = "a.newer.token"
        fields.get("join", fields.get("roomUpdate", {})).get("room", {}).pop("turnPassword", None)
        lines.append(json.dumps(fields))
    (FOLDER / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@asynccontextmanager
async def _meeting(server: LiveKit, room: str) -> AsyncIterator[None]:
    """Two people with cameras, who were there first."""
    async with joined(server.address, room, "ada") as ada, joined(server.address, room, "bob") as b:
        await ada.publish(ColourTrack(220))
        await b.publish(ColourTrack(40))
        yield


async def _evening(server: LiveKit) -> None:
    """A meeting in which everything happens, to the end."""
    async with (
        _meeting(server, "room"),
        seen(server, "room") as sight,
        grey_composite(130) as encoder,
    ):
        await sight.room.publish(encoder)
        await eventually(lambda: sight.shows("ada", 220) and sight.shows("bob", 40))
        async with joined(server.address, "room", "cleo") as cleo:
            track = await cleo.publish(ColourTrack(90))
            await eventually(lambda: sight.shows("cleo", 90))
            sight.room.constrain("cleo", ReceiverConstraints(320, 180, 5))
            await cleo.mute(track, muted=True)
            await eventually(lambda: "cleo" not in sight.present)
            await cleo.set_attributes(reactions="off")
            await cleo.mute(track, muted=False)
            await eventually(lambda: sight.consents == {"cleo": Consent.OPT_OUT})
            feed = sight.camera("cleo")
        # The next participant gets Cleo's media section in the offers.
        await eventually(lambda: feed.ended)
        async with joined(server.address, "room", "dan") as dan:
            await dan.publish(ColourTrack(150))
            await eventually(lambda: sight.shows("dan", 150))
            # Long enough for a ping to be answered.
            await asyncio.sleep(6)
        await call(server, "room", "DeleteRoom")
        await eventually(lambda: sight.ended)


async def record() -> None:
    """Record everything again."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _recording() as recorded:
        async with livekit(Path(folder)) as server:
            await _evening(server)
    for role, messages in recorded.items():
        _write(role, messages)


if __name__ == "__main__":
    asyncio.run(record())
