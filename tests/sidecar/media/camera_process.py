"""A participant in a process of its own, so that it can be killed: an answer for an offer."""

import asyncio
import sys

from aiortc import RTCSessionDescription

from sidecar.media.peer_connection import closing, peer_connection
from tests.sidecar.media.pictures import RED, Camera


async def main() -> None:
    """Read an offer up to an empty line, print the answer, and send a red camera for ever."""
    offer = "".join(iter(sys.stdin.readline, "\n"))
    async with closing(peer_connection()) as connection:
        connection.addTrack(Camera(RED))
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        print(connection.localDescription.sdp, end="\n\n", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
