"""``python -m tests.sidecar.rooms.janus.record`` records the transcripts."""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from unittest.mock import patch

from config.errors import RoomError
from sidecar.rooms.base import ReceiverConstraints
from sidecar.rooms.janus import room as rooms
from sidecar.rooms.janus.protocol import JanusProtocol
from tests.servers.janus import JanusServer, Setup
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.janus.attending import attending, options
from tests.sidecar.rooms.janus.client import camera, client
from tests.sidecar.rooms.janus.proxy import proxy
from tests.sidecar.rooms.janus.transcripts import FOLDER, Recording

SECRET: dict[str, Any] = {"secret": "room-secret"}


async def meeting(server: JanusServer) -> None:
    """Cameras come and go, one can't be decoded, one is a composite; then the room is destroyed."""
    async with client(server.ports["ws"]) as someone:
        await someone.create(1, publishers=9, videocodec="vp8,vp9", **SECRET)
        async with (
            camera(someone, 1, "Ada", ColourTrack(), sound=True, data=True) as ada,
            attending(server.url("1"), publishing=True) as sidecar,
        ):
            await eventually(lambda: sidecar.frames("Ada") > 0)
            sidecar.room.constrain(str(ada.id), ReceiverConstraints(320, 180, 15, paused=True))
            async with camera(someone, 1, "Vic", ColourTrack(), codec="VP8", alias="VP9"):
                await eventually(lambda: sidecar.problem("Vic"))
            async with camera(someone, 1, "Bob !reactions off", ColourTrack()):
                await eventually(lambda: sidecar.frames("Bob") > 0)
            await eventually(lambda: len(sidecar.present) == 1)
            await someone.say(ada.handle, "unpublish")
            await eventually(lambda: not sidecar.present)
            with patch.object(rooms, "JanusProtocol", JanusProtocol):
                async with attending(server.url("1"), publishing=True):
                    await asyncio.sleep(1)
            await someone.say(await someone.attach(), "destroy", room=1, **SECRET)
            await eventually(lambda: sidecar.ended)


async def kicked(server: JanusServer) -> None:
    """The sidecar is kicked."""
    async with client(server.ports["ws"]) as someone:
        await someone.create(2, **SECRET)
        async with attending(server.url("2"), publishing=True) as sidecar:
            (ours,) = await someone.people(2)
            await someone.say(await someone.attach(), "kick", room=2, id=ours["id"], **SECRET)
            await eventually(lambda: sidecar.ended)


async def locked(server: JanusServer) -> None:
    """A room with a PIN, whose cameras are for its publishers alone."""
    async with client(server.ports["ws"]) as someone:
        await someone.create(3, require_pvtid=True, pin="sesame")
        async with (
            camera(someone, 3, "Ada", ColourTrack(), pin="sesame"),
            attending(server.url("3"), options({"JANUS_PIN": "sesame"})) as sidecar,
            grey_composite() as encoder,
        ):
            await eventually(lambda: sidecar.problem("Ada"))
            await sidecar.room.publish(encoder)
            await eventually(lambda: sidecar.frames("Ada") > 0)


async def full(server: JanusServer) -> None:
    """A room that takes no more publishers."""
    async with client(server.ports["ws"]) as someone:
        await someone.create(4, publishers=1)
        async with (
            camera(someone, 4, "Ada", ColourTrack()),
            attending(server.url("4")) as sidecar,
            grey_composite() as encoder,
        ):
            await eventually(lambda: sidecar.frames("Ada") > 0)
            with contextlib.suppress(RoomError):
                await sidecar.room.publish(encoder)


async def claimed(server: JanusServer) -> None:
    """The connection breaks and the session is claimed; then the server dies, and it is gone."""
    async with (
        client(server.ports["ws"]) as someone,
        camera(someone, 1234, "Ada", ColourTrack()),
        proxy(server.ports["ws"]) as road,
        attending(f"janus://127.0.0.1:{road.port}/1234") as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)
        await road.cut()
        await road.open()
        await eventually(lambda: road.connections > 1)
        async with camera(someone, 1234, "Bob", ColourTrack()):
            await eventually(lambda: sidecar.frames("Bob") > 0)
        await server.process.restart()
        await eventually(lambda: sidecar.ended)


SCENES: tuple[Callable[[JanusServer], Coroutine[object, object, None]], ...] = (
    meeting,
    kicked,
    locked,
    full,
    claimed,
)


async def main() -> None:
    """Record every scene."""
    FOLDER.mkdir(exist_ok=True)
    setup = Setup(rooms={"1234": {"publishers": 6}}, general={"reclaim_session_timeout": 30})
    with tempfile.TemporaryDirectory() as folder:
        async with JanusServer(Path(folder), setup) as server:
            for scene in SCENES:
                made: list[Recording] = []

                class Kept(Recording):
                    def __init__(self, room: str, **given: str) -> None:
                        super().__init__(room, **given)
                        made.append(self)  # noqa: B023

                with patch.object(rooms, "JanusProtocol", Kept):
                    await scene(server)
                lines = (json.dumps(step) for step in made[0].steps)
                (FOLDER / f"{scene.__name__}.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
