"""Everybody whose camera is watched, from the server's offer to the session's ``Joined``."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from aiortc import RTCIceServer, RTCPeerConnection

from config.errors import RoomError
from sidecar.media.feed import Feed
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    ReceiverConstraints,
    RoomChange,
)
from sidecar.rooms.display_names import display_name
from sidecar.rooms.janus import events as heard
from sidecar.rooms.janus.consent import named, said
from sidecar.rooms.janus.layers import choose
from sidecar.rooms.janus.subscription import Layer
from sidecar.rooms.janus.viewing import NO_MEDIA, Viewing

log = structlog.get_logger(__name__)

SETTLING: Final = 3
"""Rounds after a switch of layers in which a picture may still be of the layer before."""


@dataclass(slots=True, eq=False)
class Camera:
    """One offer being answered, connected and watched."""

    feed: str
    viewing: Viewing
    task: asyncio.Task[None] | None = None
    substream: int = 0
    settling: int = SETTLING


class Cameras:
    """Answers offers, each in a task of its own, and tells the session who is there.

    ``answer`` and ``give_up`` go to the protocol, ``tell`` to the session.
    """

    def __init__(
        self,
        *,
        relay_only: bool,
        tell: Callable[[RoomChange], None],
        answer: Callable[[str, str], None],
        give_up: Callable[[str, str], None],
        prefer: Callable[[str, Layer], None],
    ) -> None:
        self.ice_servers: Sequence[RTCIceServer] = ()
        self._relay_only = relay_only
        self._tell = tell
        self._answer = answer
        self._give_up = give_up
        self._prefer = prefer
        self._cameras: dict[str, Camera] = {}
        self._names: dict[str, str] = {}
        self._told: dict[str, str] = {}
        """Who the session knows, and why their camera can't be watched."""
        self._wants: dict[str, ReceiverConstraints] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def peers(self) -> list[RTCPeerConnection]:
        """The connections of this moment."""
        return [camera.viewing.peer for camera in self._cameras.values()]

    def hear(self, event: heard.Event) -> None:
        """Take what the protocol tells of somebody's camera."""
        match event:
            case heard.Offered():
                self._offered(event)
            case heard.Closed():
                self._closed_by_server(event)
            case heard.Gone():
                self._gone(event.feed, event.reason)
            case heard.Unwatchable():
                self._unwatchable(event.feed, event.problem)
            case heard.Named():
                self._named(event.feed, event.name)
            case heard.Switched():
                self._switched(event.feed, event.substream)
            case heard.Trickled(str(feed)):
                self._trickled(feed, event.candidate)

    def _offered(self, offer: heard.Offered) -> None:
        """Answer an offer, and watch what comes."""
        viewing = Viewing(
            self.ice_servers,
            relay_only=self._relay_only,
            on_text=lambda text: self._consent(offer.feed, said(text)),
        )
        camera = self._cameras[offer.feed] = Camera(offer.feed, viewing)
        camera.task = self._spawn(self._watch(camera, offer))

    def _closed_by_server(self, closed: heard.Closed) -> None:
        camera = self._cameras.get(closed.feed)
        if camera is not None and camera.viewing.feed is None and closed.lost:
            self._unwatchable(closed.feed, f"{NO_MEDIA} ({closed.reason})")
        else:
            self._closed(closed.feed, closed.reason)

    def _closed(self, feed: str, reason: str) -> None:
        """The connection is over; the camera may come back, and a tile without one stays."""
        camera = self._cameras.pop(feed, None)
        if camera is not None and camera.task is not None:
            camera.task.cancel()
        if self._told.get(feed) == "":
            self._leave(feed, reason)

    def _gone(self, feed: str, reason: str) -> None:
        """They have left."""
        self._closed(feed, reason)
        self._leave(feed, reason)
        self._names.pop(feed, None)
        self._wants.pop(feed, None)

    def _unwatchable(self, feed: str, problem: str) -> None:
        """Their camera can't be watched: show the name alone."""
        self._closed(feed, problem)
        if self._told.get(feed) != problem:
            self._join(feed, None, problem)

    def _named(self, feed: str, display: str) -> None:
        """Somebody has this name, in which they may opt out."""
        name, asked = named(display)
        self._names[feed] = display_name(name)
        self._consent(feed, asked)

    def _switched(self, feed: str, substream: int) -> None:
        """The server sends another substream from now on."""
        if (camera := self._cameras.get(feed)) is not None:
            camera.substream, camera.settling = substream, 0

    def _trickled(self, feed: str, candidate: Mapping[str, object]) -> None:
        """The server sends a candidate on."""
        if (camera := self._cameras.get(feed)) is not None:
            self._spawn(camera.viewing.trickle(candidate))

    def constrain(self, feed: str, want: ReceiverConstraints) -> None:
        """Ask for no more of a camera than this."""
        if feed in self._names:
            self._wants[feed] = want
            self._adjust(feed)

    def begin_round(self) -> None:
        """Look whether another layer serves better, now that sizes are known."""
        for feed, camera in self._cameras.items():
            camera.settling += 1
            self._adjust(feed)

    async def close(self) -> None:
        """Close every connection."""
        for feed in list(self._names):
            self._gone(feed, "the room was left")
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _adjust(self, feed: str) -> None:
        want, camera = self._wants.get(feed), self._cameras.get(feed)
        if want is None or camera is None or camera.settling < SETTLING:
            return
        size = None if camera.viewing.feed is None else camera.viewing.feed.size
        self._prefer(feed, choose(want, size, camera.substream))

    def _join(self, feed: str, picture: Feed | None, problem: str = "") -> None:
        self._told[feed] = problem
        self._tell(Joined(feed, self._names.get(feed, feed), picture, problem))

    def _leave(self, feed: str, reason: str) -> None:
        if self._told.pop(feed, None) is not None:
            self._tell(Left(feed, reason))

    def _consent(self, feed: str, consent: Consent | None) -> None:
        if consent is not None:
            self._tell(ConsentChanged(feed, consent))

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watch(self, camera: Camera, offer: heard.Offered) -> None:
        """One camera from its offer until its connection is over; frees it in any case."""
        viewing, feed = camera.viewing, camera.feed
        try:
            self._answer(feed, await viewing.answer(offer.sdp, offer.mid))
            self._join(feed, await viewing.connected())
            await viewing.over.wait()
            self._lose(camera, "the media connection was lost")
        except RoomError as error:
            if self._lose(camera, error.what):
                self._unwatchable(feed, error.what)
        except Exception as error:
            # Nobody's camera may disturb anybody else's.
            log.exception("camera failed", participant=feed)
            self._lose(camera, repr(error))
        finally:
            await viewing.close()

    def _lose(self, camera: Camera, problem: str) -> bool:
        """Give a camera up, from its own task; False where that was done already."""
        if self._cameras.get(camera.feed) is not camera:
            return False
        # This very task ends by itself: it must not be cancelled while it frees the connection.
        camera.task = None
        self._closed(camera.feed, problem)
        self._give_up(camera.feed, problem)
        return True
