"""``python -m tests.sidecar.rooms.galene.record``: writes what a real server says in one visit.

The transcript stands beside this file; each line is a message, with who sent it. So do the messages
to those who are not let in. ``test_fake.py`` plays the same visit with the fake server.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Final

import pytest

from sidecar.media.encoder import Encoder
from sidecar.rooms.galene import room
from sidecar.rooms.galene.protocol import GaleneEvent, GaleneProtocol
from tests.servers.galene import OPEN, galene
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.galene.conftest import NAME, GroupServer, attending
from tests.sidecar.rooms.galene.people import NotLetInError, person

TRANSCRIPT: Final = Path(__file__).with_name("visit.jsonl")
REFUSALS: Final = Path(__file__).with_name("refusals.json")


class Recorded(GaleneProtocol):
    """A protocol that keeps what passes through it."""

    lines: Final[list[str]] = []

    def receive(self, text: str) -> list[GaleneEvent]:
        self.lines.append(json.dumps({"from": "server", "message": json.loads(text)}))
        return super().receive(text)

    def outgoing(self) -> list[str]:
        texts = super().outgoing()
        for text in texts:
            self.lines.append(json.dumps({"from": "us", "message": json.loads(text)}))
        return texts


async def visit(server: GroupServer) -> None:
    """Ada is there, Bob comes and goes, he opts out, and the operator puts us out."""
    url = server.url("room")
    async with (
        person(url, "Ada") as ada,
        person(url, "op", password="op-password") as operator,
    ):
        await ada.show(ColourTrack())
        await ada.say("!reactions on")
        await eventually(ada.chat)
        async with attending(url) as attendance:
            await eventually(lambda: attendance.frames("Ada") > 3)
            await attendance.room.publish(Encoder(320, 180))
            async with person(url, "Bob") as bob:
                stream = await bob.show(ColourTrack())
                await eventually(lambda: attendance.frames("Bob") > 3)
                await bob.say("!reactions off")
                await eventually(lambda: "Bob" in attendance.consents)
                await bob.hide(stream)
                await eventually(lambda: "Bob" not in attendance.present)
            (us,) = (key for key, name in ada.users.items() if name == NAME)
            await operator.act("kick", us, "not today")
            await eventually(lambda: attendance.ended)


async def refusals(server: GroupServer) -> dict[str, object]:
    """What the server says to those whom it doesn't let in, by the reason."""
    said: dict[str, object] = {}

    async def try_to_join(
        reason: str, url: str, *, username: str | None = "Eve", **fields: str
    ) -> None:
        try:
            async with person(url, username, **fields):
                raise AssertionError(f"{reason}: let in")
        except NotLetInError as refused:
            said[reason] = refused.answer

    url = server.url("room")
    full = server.add_group("full", {**OPEN, "max-clients": 1})
    async with person(url, "op", password="op-password") as operator, person(full, "Ada"):
        await try_to_join("wrong password", url, username="op", password="guess")
        await try_to_join("wrong token", url, token="guess")
        await try_to_join("full", full)
        await try_to_join("same client", url, client=operator.id)
        token = await operator.invite()
        await try_to_join("token without a name", url, username=None, token=token)
        who = {"source": operator.id, "username": "op"}
        await operator.send("groupaction", kind="lock", value="closed for today", **who)
        await try_to_join("locked", url)
    return said


async def record_visit(folder: Path) -> None:
    """Write the transcript of a visit to a real server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "GaleneProtocol", Recorded)
        async with galene(folder) as server:
            await visit(server)
    TRANSCRIPT.write_text("\n".join(Recorded.lines) + "\n", encoding="utf-8")
    print(f"{len(Recorded.lines)} messages: {TRANSCRIPT}")


async def record_refusals(folder: Path) -> None:
    """Write a real server's refusals."""
    async with galene(folder) as server:
        said = await refusals(server)
    REFUSALS.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    print(f"{len(said)} refusals: {REFUSALS}")


def main() -> None:
    """Record one visit, and all refusals."""
    for write in (record_visit, record_refusals):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(write(Path(folder)))


if __name__ == "__main__":
    main()
