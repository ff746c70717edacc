"""Who is in a room, and each camera alone: for other sidecars, where the operator allows it."""

import asyncio
import json

import aiohttp
import pytest

from sidecar.media.peer_connection import close, peer_connection
from sidecar.rooms.hosted.sessions import Limits
from tests.sidecar.clients import Client, ColourTrack, offer_sdp, post_offer, publishing, watching
from tests.sidecar.server.conftest import RunningServer, running_server

pytestmark = pytest.mark.peers

PARTICIPANTS = "/rooms/one/participants"


async def roster(http: aiohttp.ClientSession, running: RunningServer) -> list[dict[str, object]]:
    async with http.get(running.url(PARTICIPANTS)) as answer:
        assert answer.status == 200
        people: list[dict[str, object]] = (await answer.json())["participants"]
        return people


async def seated(http: aiohttp.ClientSession, running: RunningServer, client: Client) -> str:
    """What the room calls ``client``, once it is there."""
    async with asyncio.timeout(30):
        while not await roster(http, running):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return client.response.headers["Sidecar-Participant"]


async def refused(http: aiohttp.ClientSession, url: str) -> int:
    """The status of a viewer's offer to ``url``."""
    peer = peer_connection()
    peer.addTransceiver("video", direction="recvonly")
    try:
        return (await post_offer(http, url, await offer_sdp(peer))).status
    finally:
        await close(peer)


async def test_participants_are_not_listed_unless_the_operator_says_so(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client:
        participant = client.response.headers["Sidecar-Participant"]
        for headers in ({}, {"Accept": "text/event-stream"}):
            async with http.get(running.url(PARTICIPANTS), headers=headers) as answer:
                assert answer.status == 403
                assert "share_cameras" in (await answer.json(content_type=None))["do"]
        assert await refused(http, running.url(f"{PARTICIPANTS}/{participant}/whep")) == 403


async def test_all_participants_are_listed_at_first_and_after_each_change(
    http: aiohttp.ClientSession,
) -> None:
    async with running_server(share_cameras=True) as running:
        assert await roster(http, running) == []
        accept = {"Accept": "text/event-stream"}
        async with http.get(running.url(PARTICIPANTS), headers=accept) as stream:

            async def listed() -> list[dict[str, object]]:
                async for line in stream.content:
                    if line.startswith(b"data: "):
                        people: list[dict[str, object]] = json.loads(line[6:])["participants"]
                        return people
                raise AssertionError("the stream ended")

            assert await listed() == []
            url = running.url("/rooms/one/whip?name=Ada")
            async with publishing(http, url, ColourTrack()) as client:
                (ada,) = await listed()
                participant = client.response.headers["Sidecar-Participant"]
                assert ada == {"participant": participant, "name": "Ada", "opted_out": False}
                await http.post(f"{client.url}/consent", json={"opted_out": True})
                (ada,) = await listed()
                assert ada["opted_out"] is True
                await http.delete(client.url)
                assert await listed() == []


async def test_a_silent_stream_shows_that_it_lives(http: aiohttp.ClientSession) -> None:
    async with running_server(share_cameras=True) as running:
        accept = {"Accept": "text/event-stream"}
        async with http.get(running.url(PARTICIPANTS), headers=accept) as stream:
            async for line in stream.content:
                if line.startswith(b":"):
                    return
    pytest.fail("no heartbeat was sent")


async def test_who_opted_out_or_is_not_there_is_not_to_be_watched(
    http: aiohttp.ClientSession,
) -> None:
    async with running_server(share_cameras=True) as running:
        url = running.url("/rooms/one/whip?opted_out=1")
        async with publishing(http, url, ColourTrack()) as client:
            participant = await seated(http, running, client)
            assert await refused(http, running.url(f"{PARTICIPANTS}/{participant}/whep")) == 403
            assert await refused(http, running.url(f"{PARTICIPANTS}/p-none/whep")) == 404


async def test_a_client_that_watches_a_camera_counts_as_a_viewer(
    http: aiohttp.ClientSession,
) -> None:
    async with (
        running_server(share_cameras=True, limits=Limits(viewers=1)) as running,
        publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client,
    ):
        participant = await seated(http, running, client)
        camera = running.url(f"{PARTICIPANTS}/{participant}/whep")
        async with watching(http, camera) as viewer:
            assert viewer.url.startswith(running.url("/rooms/one/whep/"))
            assert viewer.track is not None
            await viewer.track.recv()
            assert await refused(http, camera) == 503
            async with http.delete(viewer.url) as answer:
                assert answer.status == 200
        async with watching(http, camera) as viewer:
            assert viewer.track is not None
            await viewer.track.recv()


async def test_a_camera_says_what_may_be_posted(http: aiohttp.ClientSession) -> None:
    async with running_server(share_cameras=True) as running:
        async with http.options(running.url(f"{PARTICIPANTS}/p-1/whep")) as answer:
            assert answer.status == 204
            assert answer.headers["Accept-Post"] == "application/sdp"
        async with http.get(running.url(f"{PARTICIPANTS}/p-1/whep")) as answer:
            assert answer.status == 405
