"""The media plane as a whole: real peers on loopback, cameras in, one composite out."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import av
import pytest
from aiortc import (
    MediaStreamTrack,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCSessionDescription,
)

from gifs.yuva import Rgb, yuv
from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.layout import Rect, arrange
from sidecar.media.compositor.render_loop import RenderLoop
from sidecar.media.compositor.tiles import TileView
from sidecar.media.encoder import Encoder
from sidecar.media.feed import Feed
from sidecar.media.peer_connection import closing, peer_connection
from sidecar.media.send_peer import send_composite
from tests.sidecar.leaks import back_to, settled
from tests.sidecar.media.pictures import BLUE, GREEN, RED, Blocks, Camera, mean_colour, until_true

pytestmark = pytest.mark.peers

SIZE = (640, 360)


async def negotiate(offerer: RTCPeerConnection, answerer: RTCPeerConnection) -> None:
    await offerer.setLocalDescription(await offerer.createOffer())
    await answerer.setRemoteDescription(offerer.localDescription)
    await answerer.setLocalDescription(await answerer.createAnswer())
    await offerer.setRemoteDescription(answerer.localDescription)


def first_track(connection: RTCPeerConnection) -> "asyncio.Future[MediaStreamTrack]":
    found: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
    connection.on("track", found.set_result)
    return found


@asynccontextmanager
async def received(camera: MediaStreamTrack) -> AsyncIterator[tuple[Feed, RTCPeerConnection]]:
    """A camera sent over a real connection, as a feed; and the connection that sends it."""
    async with closing(peer_connection()) as sender, closing(peer_connection()) as receiver:
        track = first_track(receiver)
        sender.addTrack(camera)
        await negotiate(sender, receiver)
        async with Feed(await track) as feed:
            yield feed, sender


@asynccontextmanager
async def connected_viewer(
    encoder: Encoder,
) -> AsyncIterator[tuple[Feed, RTCRtpSender, RTCRtpReceiver]]:
    """A viewer of the composite over a real connection, and both ends of it."""
    async with closing(peer_connection()) as ours, closing(peer_connection()) as theirs:
        theirs.addTransceiver("video", direction="recvonly")
        track = first_track(theirs)
        await theirs.setLocalDescription(await theirs.createOffer())
        line = send_composite(ours, encoder.subscribe())
        await ours.setRemoteDescription(theirs.localDescription)
        await ours.setLocalDescription(await ours.createAnswer())
        await theirs.setRemoteDescription(ours.localDescription)
        async with Feed(await track) as feed:
            yield feed, line.sender, theirs.getReceivers()[0]


@asynccontextmanager
async def viewer(encoder: Encoder) -> AsyncIterator[Feed]:
    """A viewer of the composite over a real connection."""
    async with connected_viewer(encoder) as (feed, _, _):
        yield feed


def composite(encoder: Encoder, feeds: dict[str, Feed]) -> RenderLoop:
    def tiles(time: float) -> list[TileView]:
        return [TileView(key, "", feed.frame, feed.stale(time)) for key, feed in feeds.items()]

    return RenderLoop(Compositor(*SIZE, Blocks()), tiles, encoder)


def looks(frame: av.VideoFrame | None, area: Rect, colour: Rgb) -> bool:
    if frame is None:
        return False
    middle = Rect(area.x + 40, area.y + 40, area.width - 80, area.height - 80)
    return mean_colour(frame, middle) == pytest.approx(yuv(colour), abs=12)


async def until_seen(watched: Feed, *wanted: tuple[Rect, Rgb]) -> None:
    """Wait until the viewer sees every colour in its place."""
    async with asyncio.timeout(30):
        while not all(looks(watched.frame, area, colour) for area, colour in wanted):
            assert await watched.wait_newer(watched.frames)


async def test_cameras_go_in_and_one_composite_comes_out_for_every_viewer() -> None:
    encoder = Encoder(*SIZE)
    async with AsyncExitStack() as stack:
        red, _ = await stack.enter_async_context(received(Camera(RED)))
        green, _ = await stack.enter_async_context(received(Camera(GREEN)))
        await stack.enter_async_context(composite(encoder, {"red": red, "green": green}))
        left, right = arrange(2, *SIZE)
        for _ in range(2):
            watched = await stack.enter_async_context(viewer(encoder))
            await until_seen(watched, (left, RED), (right, GREEN))
        assert encoder.viewers == 2


async def test_a_viewer_who_comes_later_sees_a_key_frame_at_once() -> None:
    encoder = Encoder(*SIZE)
    async with received(Camera(RED)) as (feed, _), composite(encoder, {"a": feed}) as made:
        await until_true(lambda: made.ticks >= 20)
        before = encoder.key_frames
        async with viewer(encoder) as watched:
            await until_seen(watched, (Rect(0, 0, *SIZE), RED))
            assert encoder.key_frames == before + 1
        await until_true(lambda: encoder.viewers == 0)


async def test_a_viewer_who_lost_the_picture_gets_a_key_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sidecar.media.encoder.KEY_FRAME_EVERY", 1e9)
    encoder = Encoder(*SIZE)
    async with (
        received(Camera(RED)) as (feed, _),
        composite(encoder, {"a": feed}),
        connected_viewer(encoder) as (watched, sender, receiver),
    ):
        assert await watched.wait_newer(0)
        before = encoder.key_frames
        async with asyncio.timeout(30):
            while encoder.key_frames == before:
                await receiver._send_rtcp_pli(sender._ssrc)
                await asyncio.sleep(0.05)


async def test_a_camera_may_change_its_resolution_in_mid_stream() -> None:
    camera, encoder = Camera(BLUE), Encoder(*SIZE)
    async with (
        received(camera) as (feed, _),
        composite(encoder, {"a": feed}),
        viewer(encoder) as watched,
    ):
        for size in [(320, 180), (480, 270), (180, 320), (640, 360)]:
            camera.size = size
            async with asyncio.timeout(30):
                while feed.size != size:
                    assert await feed.wait_newer(feed.frames)
            seen = watched.frames
            assert await watched.wait_newer(seen + 2)
            assert looks(watched.frame, Rect(220, 80, 200, 200), BLUE)
            assert watched.size == SIZE


@asynccontextmanager
async def received_from_elsewhere() -> AsyncIterator[tuple[Feed, asyncio.subprocess.Process]]:
    """A camera of another process, as a feed; and the process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.sidecar.media.camera_process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with closing(peer_connection()) as receiver:
            receiver.addTransceiver("video", direction="recvonly")
            track = first_track(receiver)
            await receiver.setLocalDescription(await receiver.createOffer())
            offer = receiver.localDescription.sdp.replace("\r\n", "\n")
            process.stdin.write(f"{offer}\n".encode())
            answer = await process.stdout.readuntil(b"\n\n")
            await receiver.setRemoteDescription(RTCSessionDescription(answer.decode(), "answer"))
            async with Feed(await track) as feed:
                yield feed, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_tile_of_a_killed_participant_goes_stale_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sidecar.media.feed.STALE_AFTER", 0.5)
    encoder = Encoder(*SIZE)
    async with AsyncExitStack() as stack:
        killed, process = await stack.enter_async_context(received_from_elsewhere())
        stays, _ = await stack.enter_async_context(received(Camera(RED)))
        await stack.enter_async_context(composite(encoder, {"killed": killed, "stays": stays}))
        watched = await stack.enter_async_context(viewer(encoder))
        left, right = arrange(2, *SIZE)
        await until_seen(watched, (left, RED), (right, RED))
        process.kill()
        await until_true(lambda: brightness(watched.frame, left) < 0.7 * yuv(RED)[0])
        assert looks(watched.frame, right, RED)
        assert not killed.ended


def brightness(frame: av.VideoFrame | None, area: Rect) -> float:
    return 255.0 if frame is None else mean_colour(frame, area)[0]


async def test_participants_and_viewers_leave_no_task_thread_or_descriptor_behind() -> None:
    async def one_round() -> None:
        encoder = Encoder(*SIZE)
        async with (
            received(Camera(GREEN)) as (feed, _),
            composite(encoder, {"a": feed}),
            viewer(encoder) as watched,
        ):
            assert await watched.wait_newer(0)

    await one_round()
    before = await settled()
    for _ in range(5):
        await one_round()
    await back_to(before)
