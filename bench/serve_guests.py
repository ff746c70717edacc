"""Participants in a process of their own, for ``serve_rooms``.

``ADDRESS CLIP PARTICIPANTS TOKEN``: each line on standard input names a room, which gets so many
participants that send CLIP without encoding it, and one who watches; a line answers it. ADDRESS is
a LiveKit server's, or ``http://…`` of a sidecar that hosts the rooms, where a line ``NAME COUNT``
adds so many who watch.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from sidecar.media.clip_track import ClipTrack
from sidecar.media.feed import Feed
from tests.sidecar.clients import publishing, watching
from tests.sidecar.rooms.livekit import guest


async def fill_livekit(life: AsyncExitStack, address: str, room: str, clips: list[Path]) -> None:
    for number, clip in enumerate(clips):
        someone = await life.enter_async_context(
            guest.joined(address, room, f"guest{number}", watch=number == 0)
        )
        await someone.publish(ClipTrack(clip))


async def fill_hosted(
    life: AsyncExitStack, address: str, room: str, clips: list[Path], token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    http = await life.enter_async_context(aiohttp.ClientSession(headers=headers))
    for number, clip in enumerate(clips):
        url = f"{address}/rooms/{room}/whip?name=guest{number}"
        await life.enter_async_context(publishing(http, url, ClipTrack(clip)))
    await watch_hosted(life, address, room, 1, token)


async def watch_hosted(
    life: AsyncExitStack, address: str, room: str, count: int, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    http = await life.enter_async_context(aiohttp.ClientSession(headers=headers))
    for _ in range(count):
        client = await life.enter_async_context(watching(http, f"{address}/rooms/{room}/whep"))
        assert client.track is not None
        await life.enter_async_context(Feed(client.track))


async def main(address: str, clip: Path, participants: int, token: str) -> None:
    """Fill rooms until standard input ends."""
    loop = asyncio.get_running_loop()
    clips = [clip] * participants
    async with AsyncExitStack() as life:
        while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            room, _, watchers = line.partition(" ")
            if watchers:
                await watch_hosted(life, address, room, int(watchers), token)
            elif address.startswith("http"):
                await fill_hosted(life, address, room, clips, token)
            else:
                await fill_livekit(life, address, room, clips)
            print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
