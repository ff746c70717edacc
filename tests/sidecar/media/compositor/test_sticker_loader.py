import threading
from collections.abc import Iterator

import pytest

from config.errors import StickerError
from gifs.animation import Animation
from sidecar.media.compositor.sticker_loader import KEPT, StickerPrefetcher
from tests.sidecar.media.pictures import RED, opaque, until_true


class Slow:
    """Stickers that take as long to load as a test wants."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.loads = 0
        self.thread = ""

    def get(self, name: str, width: int, height: int) -> Animation:
        self.go.wait(10)
        self.loads += 1
        self.thread = threading.current_thread().name
        if name == "broken":
            raise StickerError("is broken", where=name)
        return opaque(width, height, RED)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backstage(slow: Slow, clock: Clock) -> Iterator[StickerPrefetcher]:
    made = StickerPrefetcher(slow, clock=clock)
    yield made
    slow.go.set()
    made.close()


async def loaded(backstage: StickerPrefetcher, name: str = "s") -> Animation:
    await until_true(lambda: backstage.get(name, 8, 8) is not None)
    animation = backstage.get(name, 8, 8)
    assert animation is not None
    return animation


async def test_no_tick_waits_for_a_sticker(slow: Slow, backstage: StickerPrefetcher) -> None:
    assert backstage.get("s", 8, 8) is None
    assert backstage.get("s", 8, 8) is None
    slow.go.set()
    assert (await loaded(backstage)).frames[0].width == 8
    assert slow.loads == 1
    assert slow.thread.startswith("stickers")


async def test_a_sticker_that_was_prepared_is_there_at_once(
    slow: Slow, backstage: StickerPrefetcher
) -> None:
    slow.go.set()
    backstage.prepare("s", 8, 8)
    await until_true(lambda: slow.loads == 1)
    assert (await loaded(backstage)).frames[0].width == 8
    assert slow.loads == 1


async def test_preparing_what_is_broken_raises_nothing(
    slow: Slow, backstage: StickerPrefetcher
) -> None:
    slow.go.set()
    backstage.prepare("broken", 8, 8)
    await until_true(lambda: slow.loads == 1)
    with pytest.raises(StickerError, match="is broken"):
        await loaded(backstage, "broken")


async def test_each_size_is_loaded_for_itself(slow: Slow, backstage: StickerPrefetcher) -> None:
    slow.go.set()
    await loaded(backstage)
    assert backstage.get("s", 16, 16) is None


async def test_what_loading_raises_is_raised(slow: Slow, backstage: StickerPrefetcher) -> None:
    slow.go.set()
    with pytest.raises(StickerError, match="is broken"):
        await loaded(backstage, "broken")


async def test_unused_stickers_are_released(
    slow: Slow, clock: Clock, backstage: StickerPrefetcher
) -> None:
    slow.go.set()
    await loaded(backstage)
    clock.now += KEPT + 1
    await loaded(backstage, "other")
    assert backstage.get("s", 8, 8) is None
    assert backstage.get("other", 8, 8) is not None


def test_closing_ends_its_thread(slow: Slow) -> None:
    before = threading.active_count()
    backstage = StickerPrefetcher(slow)
    backstage.get("s", 8, 8)
    slow.go.set()
    backstage.close()
    assert threading.active_count() == before
