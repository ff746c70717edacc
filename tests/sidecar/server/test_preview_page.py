"""The mirrored self-view of this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import av
import numpy as np
import pytest
import simplejpeg

from sidecar.server.preview_page import WATCHERS, PreviewPage, as_jpeg


def picture(luma: int, width: int = 64, height: int = 36) -> av.VideoFrame:
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = luma
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[PreviewPage, aiohttp.ClientSession]]:
    page = PreviewPage()
    await page.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield page, http
    finally:
        await page.aclose()


async def read_part(answer: aiohttp.ClientResponse) -> bytes:
    """The body of the next part of a stream of pictures."""
    assert await answer.content.readline() == b"--picture\r\n"
    assert await answer.content.readline() == b"Content-Type: image/jpeg\r\n"
    length = int((await answer.content.readline()).split()[1])
    await answer.content.readline()
    body = await answer.content.readexactly(length)
    await answer.content.readline()
    return body


async def test_the_page_shows_the_newest_pictures() -> None:
    async with opened() as (page, http):
        page.take(picture(60), 0.0)
        async with http.get(f"{page.url}picture.mjpeg") as answer:
            assert answer.content_type == "multipart/x-mixed-replace"
            first = simplejpeg.decode_jpeg(await read_part(answer))
            page.take(picture(200), 0.04)
            second = simplejpeg.decode_jpeg(await read_part(answer))
        assert first.shape == (36, 64, 3)
        assert second.mean() > first.mean() + 100
        assert page.stats().delivered >= 1


async def test_the_page_and_its_files_are_sent_and_nothing_else_is() -> None:
    async with opened() as (page, http):
        for name, kind in (
            ("", "text/html"),
            ("preview.css", "text/css"),
            ("icon.svg", "image/svg+xml"),
        ):
            async with http.get(f"{page.url}{name}") as answer:
                assert (answer.status, answer.content_type) == (200, kind)
        for wrong in ("index.html", "app.js", "../"):
            async with http.get(f"{page.url}{wrong}") as answer:
                assert answer.status == 404


async def test_the_address_can_not_be_guessed_and_other_names_are_refused() -> None:
    async with opened() as (page, http), opened() as (another, _):
        assert page.url.split("/")[3] != another.url.split("/")[3]
        root = page.url.rpartition("/")[0].rpartition("/")[0]
        async with http.get(f"{root}/picture.mjpeg") as answer:
            assert answer.status == 404
        async with http.get(page.url, headers={"Host": "other.example"}) as answer:
            assert answer.status == 421


async def test_a_page_too_many_is_refused_and_a_closed_one_makes_room() -> None:
    async with opened() as (page, http):
        page.take(picture(60), 0.0)
        open_pages = [await http.get(f"{page.url}picture.mjpeg") for _ in range(WATCHERS)]
        for one in open_pages:
            await read_part(one)
        async with http.get(f"{page.url}picture.mjpeg") as answer:
            assert answer.status == 503
        for one in open_pages:
            one.close()
        status, number = 503, 0
        while status == 503:
            number += 1
            page.take(picture(60 + number % 100), 0.0)
            async with http.get(f"{page.url}picture.mjpeg") as answer:
                status = answer.status
        assert status == 200


@pytest.mark.parametrize("size", [(64, 36), (50, 30), (1280, 720)])
def test_pictures_of_any_size_become_jpegs_of_their_luma(size: tuple[int, int]) -> None:
    decoded = simplejpeg.decode_jpeg(as_jpeg(picture(120, *size)))
    assert decoded.shape == (size[1], size[0], 3)
    assert abs(float(decoded.mean()) - 120) < 3
