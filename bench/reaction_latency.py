"""How long after a pose begins its sticker is on the viewer's screen, with everything real.

A mannequin takes turns between rest and a pose; it publishes by WHIP to a room whose stickers are
magenta squares, and a viewer by WHEP notes when magenta appears. The pose's beginning is known from
the clip to the frame.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import av
from aiortc import RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from PIL import Image

from bench.table import Table
from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from reactions.mannequin import CAST, Choreography, Scene
from reactions.mannequin.clip import render_clip
from sidecar.demo import hosting
from sidecar.media.clip_track import ClipTrack
from sidecar.media.peer_connection import closing, peer_connection
from sidecar.rooms.whip import WhipPublisher
from sidecar.session.factories import make_detector, make_store

ROOM = "bench"
MAGENTA = (255, 0, 255)
FRAME = 1 / 30
STEPS = (("neutral", 4.5), ("thumbs_up", 2.5), ("neutral", 4.5 + FRAME), ("victory", 2.5))
"""Rests are longer than the cooldown and the sticker's least duration together. The frame more lets
a round be no multiple of the time between samples, which would catch each pose at one moment."""


def magenta_table(folder: Path) -> Mapping[str, ReactionRule]:
    """The shipped table with magenta squares for stickers, soon over and soon allowed again."""
    Image.new("RGB", (64, 64), MAGENTA).save(folder / "magenta.gif")
    change = {"sticker": "magenta.gif", "effect": None, "cooldown": 1.0, "duration": 1.0}
    return {
        label: rule.model_copy(update=change) if rule.kind is Kind.STICKER else rule
        for label, rule in load_reaction_table(LABELS).items()
    }


def shows_magenta(frame: av.VideoFrame) -> bool:
    """Whether a square of the sticker is in the picture; hold rings and skin are not magenta."""
    picture = frame.reformat(320, 180, "rgb24").to_ndarray().astype(int)
    hits = (picture[..., 0] > 180) & (picture[..., 1] < 90) & (picture[..., 2] > 180)
    return bool(hits.mean() > 0.005)


async def appearances(url: str, until: float) -> list[float]:
    """When magenta appeared again at a viewer of ``url``, on the monotonic clock."""
    found: list[float] = []
    async with closing(peer_connection()) as peer, aiohttp.ClientSession() as http:
        receiver = peer.addTransceiver("video", direction="recvonly").receiver
        await peer.setLocalDescription(await peer.createOffer())
        headers = {"Content-Type": "application/sdp"}
        async with http.post(url, data=peer.localDescription.sdp, headers=headers) as answer:
            sdp = await answer.text()
            resource = urljoin(url, answer.headers["Location"])
        await peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        shown = False
        while time.monotonic() < until:
            try:
                frame = await receiver.track.recv()
            except MediaStreamError:
                break
            if isinstance(frame, av.VideoFrame):
                now, before, shown = time.monotonic(), shown, shows_magenta(frame)
                if shown and not before:
                    found.append(now)
        await http.delete(resource)
    return found


async def meet(rounds: int) -> list[tuple[float, float]]:
    """(seconds from pose to sticker, the label's hold) for every sticker of ``rounds`` rounds."""
    play = Choreography(STEPS)
    clip = render_clip(next(iter(CAST.values())), play, Scene())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(server={"port": 0}, stickers={"folders": (folder,)})
        table = magenta_table(folder)
        detector = make_detector(make_store(settings), table, settings)
        async with hosting(settings, table, detector, ROOM) as server:
            track = ClipTrack(clip)
            url = server.listener.url(f"/rooms/{ROOM}")
            async with WhipPublisher(f"{url}/whip?name=Ada", track):
                until = time.monotonic() + rounds * play.duration
                shots = await appearances(f"{url}/whep", until)
            began = track.began or 0.0
    return [found for shot in shots if (found := matched(shot - began, play, table)) is not None]


def matched(
    at: float, play: Choreography, table: Mapping[str, ReactionRule]
) -> tuple[float, float] | None:
    """The pose that a sticker ``at`` seconds into the loop answers: its delay and its hold."""
    since = {
        hold.name: (at - hold.start) % play.duration
        for hold in play.holds
        if hold.name != "neutral"
    }
    label = min(since, key=lambda name: since[name])
    return (since[label], table[label].hold) if since[label] < 2.5 else None


def measure(quick: bool) -> Iterator[Table]:
    """One row."""
    table = Table(
        "From pose to sticker, ms",
        ("stickers", "from pose, median", "after the hold, median", "after the hold, p95"),
        "From the moment a mannequin fully holds a pose to the sticker at a WHEP viewer; the hold "
        "of 0.8 s that the policy demands is taken off in the last columns. 5 samples a second, "
        "everything on this machine, in one process.",
    )
    found = asyncio.run(meet(2 if quick else 12))
    after = sorted((delay - hold) * 1000 for delay, hold in found)
    if after:
        whole = statistics.median(delay for delay, _ in found) * 1000
        table.add(
            len(after),
            whole,
            statistics.median(after),
            after[min(len(after) - 1, int(len(after) * 0.95))],
        )
    yield table
