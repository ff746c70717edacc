"""WHIP and WHEP over real HTTP, with real peers."""

import aiohttp
import av
import numpy as np

from tests.sidecar.clients import ColourTrack, eventually, publishing, watching
from tests.sidecar.server.conftest import GREY, House


async def test_a_published_camera_arrives_in_the_session(
    house: House, http: aiohttp.ClientSession
) -> None:
    async with publishing(http, house.url("/rooms/one/whip?name=Ada"), ColourTrack(90)) as client:
        meeting = house.meetings["one"]
        await eventually(lambda: any(camera.feed.frame for camera in meeting.present.values()))
        (camera,) = meeting.present.values()
        assert camera.name == "Ada"
        assert camera.participant == client.response.headers["Sidecar-Participant"]
        assert camera.feed.size == (320, 180)


async def test_a_viewer_gets_the_composite(house: House, http: aiohttp.ClientSession) -> None:
    async with watching(http, house.url("/rooms/one/whep")) as client:
        assert client.track is not None
        frame = await client.track.recv()
        assert isinstance(frame, av.VideoFrame)
        luma = frame.to_ndarray(format="yuv420p")[: frame.height]
        assert abs(float(np.mean(luma)) - GREY) < 3
