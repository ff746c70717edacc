"""A WHEP server in this process: a stream a name, from real aiortc peers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Self

from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription

from sidecar.media.peer_connection import close, peer_connection
from tests.sidecar.clients import ColourTrack

LOOPBACK: Final = "127.0.0.1"


@dataclass(eq=False)
class PublishedStream:
    """A stream, and the viewers that get it."""

    luma: int
    codec_shared: bool
    """Whether a viewer of ours can decode it."""
    viewers: dict[str, tuple[RTCPeerConnection, ColourTrack]] = field(default_factory=dict)


class FakeWhepServer:
    """Answers at ``/NAME/whep``. It keeps its port from one start to the next."""

    def __init__(self) -> None:
        self.streams: dict[str, PublishedStream] = {}
        self.token = ""
        """What viewers must bear, if anything."""
        self.hanging = False
        """Answers nothing, and sends no frames."""
        self.posts = 0
        """How many offers came."""
        self.deleted: list[str] = []
        """The sessions that their viewers ended."""
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.lose()

    def url(self, name: str) -> str:
        return f"whep+http://{LOOPBACK}:{self._port}/{name}/whep#{name}"

    async def start(self) -> None:
        """Listen, without streams."""
        app = web.Application()
        app.router.add_route("OPTIONS", "/{name}/whep", self._answering(self._describe))
        app.router.add_post("/{name}/whep", self._answering(self._offer))
        app.router.add_delete("/{name}/whep/{viewer}", self._answering(self._leave))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def lose(self) -> None:
        """Close everything, as a server that dies."""
        self.hanging = False
        for name in tuple(self.streams):
            await self.unpublish(name)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def publish(self, name: str, luma: int = 128, *, codec_shared: bool = True) -> None:
        self.streams[name] = PublishedStream(luma, codec_shared)

    async def unpublish(self, name: str) -> None:
        """The stream ends, and with it the sessions of its viewers."""
        stream = self.streams.pop(name)
        for viewer in tuple(stream.viewers):
            await self._end(stream, viewer)

    def hang(self) -> None:
        """Keep the connections and send nothing more."""
        self.hanging = True
        for stream in self.streams.values():
            for _, track in stream.viewers.values():
                track.frozen = True

    def _answering(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            if self.hanging:
                await asyncio.Event().wait()
            if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
                return web.Response(status=401)
            return await handler(request)

        return answer

    async def _describe(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _offer(self, request: web.Request) -> web.Response:
        self.posts += 1
        name = request.match_info["name"]
        stream = self.streams.get(name)
        if stream is None:
            return web.Response(status=404)
        if not stream.codec_shared:
            return web.json_response({"error": "codecs not supported by client"}, status=400)
        peer, track = peer_connection(), ColourTrack(stream.luma)
        viewer = str(self.posts)
        stream.viewers[viewer] = peer, track
        await peer.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        peer.addTrack(track)
        await peer.setLocalDescription(await peer.createAnswer())
        return web.Response(
            status=201,
            text=peer.localDescription.sdp,
            content_type="application/sdp",
            headers={"Location": f"/{name}/whep/{viewer}"},
        )

    async def _leave(self, request: web.Request) -> web.Response:
        self.deleted.append(request.path)
        stream = self.streams.get(request.match_info["name"])
        if stream is None or request.match_info["viewer"] not in stream.viewers:
            return web.Response(status=404)
        await self._end(stream, request.match_info["viewer"])
        return web.Response()

    async def _end(self, stream: PublishedStream, viewer: str) -> None:
        peer, track = stream.viewers.pop(viewer)
        track.stop()
        await close(peer)
