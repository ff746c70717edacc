"""``python -m tests.sidecar.rooms.whep.client.record``: asks real servers, writes down what was
said, each request after the response that led to it."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import aiohttp
import jwt
from aiortc import RTCIceServer

from sidecar.media.peer import PeerOptions
from sidecar.media.receive_peer import ReceivePeer
from sidecar.media.send_peer import SendPeer
from sidecar.rooms.whep.client.endpoint import EndpointKind, endpoint
from sidecar.rooms.whep.client.protocol import Request, Response
from sidecar.rooms.whep.client.session import CallOptions, WhipSession
from tests.servers.galene import galene
from tests.servers.livekit import KEY, SECRET, livekit
from tests.servers.mediamtx import Mediamtx
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.server.conftest import running_server

FOLDER: Final = Path(__file__).with_name("transcripts")
HOST: Final = "server.test"
SECRET_SHOWN: Final = "Bearer ..."
KEPT: Final = ("v=", "m=", "a=mid", "a=rtpmap", "a=sendonly", "a=recvonly", "a=inactive")
"""What is kept of descriptions: the protocol passes them on unread."""
Line: TypeAlias = dict[str, Any]


def shortened(body: bytes) -> str:
    """A description without candidates, addresses, keys and the like; any other body as it is."""
    text = body.decode(errors="replace")
    if not text.startswith("v=0"):
        return text
    return "".join(f"{line}\r\n" for line in text.splitlines() if line.startswith(KEPT))


class RecordingCall(WhipSession):
    """A call that writes down what goes over the wire."""

    lines: list[Line]
    host = ""

    def _plain(self, text: str) -> str:
        return text.replace(self.host, HOST)

    async def _fetch(self, request: Request) -> Response:
        headers = {
            name: SECRET_SHOWN if name == "Authorization" else value
            for name, value in request.headers.items()
        }
        said = {"method": request.method, "url": self._plain(request.url), "headers": headers}
        self.lines.append({"say": said})
        response = await super()._fetch(request)
        heard = {
            "status": response.status,
            "headers": [[name, self._plain(value)] for name, value in response.headers],
            "body": shortened(response.body),
        }
        self.lines.append({"hear": heard})
        return response


async def visit(
    name: str, kind: EndpointKind, url: str, token: str = "", linger: float = 0.5
) -> None:
    """Call ``url``, stay for a moment if we are let in, and leave."""
    async with aiohttp.ClientSession() as http, grey_composite() as composite:
        track = composite.subscribe()

        def make_peer(servers: Sequence[RTCIceServer]) -> ReceivePeer | SendPeer:
            if kind is EndpointKind.WHIP:
                return SendPeer(track, PeerOptions(name, servers))
            return ReceivePeer(PeerOptions(name, servers))

        call = RecordingCall(http, endpoint(kind, url, token), CallOptions(), make_peer)
        call.host = urlsplit(url).netloc
        plain = url.replace(call.host, HOST)
        call.lines = [{"call": {"kind": kind.value, "url": plain, "token": bool(token)}}]
        failure = await call.connect()
        call.lines.append({"end": None if failure is None else str(failure)})
        await asyncio.sleep(linger if failure is None else 0)
        await call.leave()
        track.stop()
    text = "".join(json.dumps(line) + "\n" for line in call.lines)
    await asyncio.to_thread((FOLDER / f"{name}.jsonl").write_text, text)
    print(name, failure or "connected")


@asynccontextmanager
async def published(url: str, token: str = "") -> AsyncIterator[None]:
    """Something to watch at ``url``."""
    async with aiohttp.ClientSession() as http, grey_composite() as composite:
        track = composite.subscribe()
        call = WhipSession(
            http,
            endpoint(EndpointKind.WHIP, url, token),
            CallOptions(),
            lambda servers: SendPeer(track, PeerOptions(url, servers)),
        )
        assert await call.connect() is None
        # mediamtx wants to see the tracks before there is something to watch.
        await asyncio.sleep(2)
        try:
            yield
        finally:
            track.stop()
            await call.leave()


def folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="record-"))


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    token = "ada:open-sesame"
    async with Mediamtx(folder(), token=token) as server:
        door = server.http("door")
        await visit("mediamtx-whip", EndpointKind.WHIP, f"{door}/whip", token)
        await visit("mediamtx-refused", EndpointKind.WHEP, f"{door}/whep")
        await visit("mediamtx-nothing-there", EndpointKind.WHEP, f"{door}/whep", token)
        async with published(f"{door}/whip", token):
            await visit("mediamtx-whep", EndpointKind.WHEP, f"{door}/whep", token)
    async with livekit(folder()) as sfu:
        url = sfu.address.replace("ws://", "http://") + "/whip/v1"
        grants = {"roomJoin": True, "room": "stage", "canPublish": True}
        claims = {"iss": KEY, "sub": "composite", "exp": time.time() + 600, "video": grants}
        await visit(
            "livekit-whip", EndpointKind.WHIP, url, jwt.encode(claims, SECRET, algorithm="HS256")
        )
        await visit("livekit-refused", EndpointKind.WHIP, url)
    async with galene(folder()) as meeting:
        await visit("galene-whip", EndpointKind.WHIP, meeting.url("room") + ".whip")
        await visit(
            "galene-refused", EndpointKind.WHIP, meeting.url("room") + ".whip", "a-wrong-token"
        )
    async with running_server(fixed=("one",)) as running:
        await visit("sidecar-whip", EndpointKind.WHIP, running.url("/rooms/one/whip?name=Ada"))
        await visit("sidecar-whep", EndpointKind.WHEP, running.url("/rooms/one/whep"))
        await visit("sidecar-no-room", EndpointKind.WHEP, running.url("/rooms/two/whep"))


if __name__ == "__main__":
    asyncio.run(main())
