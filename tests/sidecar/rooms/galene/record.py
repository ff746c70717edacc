"""``python -m tests.sidecar.rooms.galene.record``: writes what a real server says in one visit.

The transcript lies beside this file; each line is a message, with who sent it.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Final

import pytest

from sidecar.media.encoder import Encoder
from sidecar.rooms.galene import room
from sidecar.rooms.galene.events import Event
from sidecar.rooms.galene.protocol import GaleneProtocol
from tests.servers.galene import galene
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.galene.conftest import attending
from tests.sidecar.rooms.galene.people import person

TRANSCRIPT: Final = Path(__file__).with_name("visit.jsonl")


class Recorded(GaleneProtocol):
    """A protocol that keeps what passes through it."""

    lines: Final[list[str]] = []

    def receive(self, text: str) -> list[Event]:
        self.lines.append(json.dumps({"from": "server", "message": json.loads(text)}))
        return super().receive(text)

    def outgoing(self) -> list[str]:
        texts = super().outgoing()
        for text in texts:
            self.lines.append(json.dumps({"from": "us", "message": json.loads(text)}))
        return texts


async def visit(folder: Path) -> None:
    """Somebody is there, somebody comes and goes, one opts out, and the operator puts us out."""
    async with galene(folder) as server:
        url = server.url("room")
        async with (
            person(url, "Ada") as ada,
            person(url, "op", password="op-password") as operator,
        ):
            await ada.show(ColourTrack())
            await ada.say("!reactions on")
            async with attending(url) as attendance:
                await eventually(lambda: attendance.frames("Ada") > 3)
                await attendance.room.publish(Encoder(320, 180))
                async with person(url, "Bob") as bob:
                    stream = await bob.show(ColourTrack())
                    await eventually(lambda: attendance.frames("Bob") > 3)
                    await bob.say("!reactions off")
                    await eventually(lambda: "Bob" in attendance.opted_out)
                    await bob.hide(stream)
                    await eventually(lambda: "Bob" not in attendance.present)
                (us,) = (key for key, name in ada.users.items() if "sidecar" in name)
                await operator.act("kick", us, "not today")
                await eventually(lambda: attendance.ended is not None)


def main() -> None:
    """Record one visit."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "GaleneProtocol", Recorded)
        asyncio.run(visit(Path(folder)))
    TRANSCRIPT.write_text("\n".join(Recorded.lines) + "\n", encoding="utf-8")
    print(f"{len(Recorded.lines)} messages: {TRANSCRIPT}")


if __name__ == "__main__":
    main()
