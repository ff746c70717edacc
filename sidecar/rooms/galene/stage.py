"""Showing the composite to a group, and showing it again whenever that fails."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

import structlog
from aiortc import RTCPeerConnection

from config.errors import RefusedError
from sidecar.media.ice import choose_servers
from sidecar.rooms.base import TrackSource
from sidecar.rooms.galene.cameras import Servers
from sidecar.rooms.galene.errands import Errands
from sidecar.rooms.galene.events import Answered, Trickled
from sidecar.rooms.galene.protocol import GaleneProtocol
from sidecar.rooms.galene.showing import Showing

log = structlog.get_logger(__name__)

AGAIN: Final = 2.0
"""Seconds between attempts at showing the composite, times how many failed in a row."""
LONGEST_PAUSE: Final = 30.0
MAX_RENEWED: Final = 5
"""How often the composite is shown anew for those who came just when it was starting: where people
come all the time, the others had better see it undisturbed."""


class Stage:
    """Our own stream in the group: at most one ``Showing`` at a time."""

    def __init__(
        self,
        protocol: GaleneProtocol,
        errands: Errands,
        *,
        flush: Callable[[], None],
    ) -> None:
        self._protocol = protocol
        self._errands = errands
        self._flush = flush
        self._servers: Servers = ((), ())
        self._relay_only = False
        self._allowed = False
        self._composite: TrackSource | None = None
        self._showing: Showing | None = None
        self._failed = 0
        self._again_at = 0.0
        self._arrival = float("-inf")
        self._renewed = 0

    def use(self, servers: Servers, *, relay_only: bool, allowed: bool) -> None:
        """Connect by these servers from now on; ``allowed`` says whether we may present."""
        self._servers, self._relay_only, self._allowed = servers, relay_only, allowed

    def peers(self) -> list[RTCPeerConnection]:
        """The connection, if there is one."""
        return [] if self._showing is None else [self._showing.peer]

    async def show(self, composite: TrackSource) -> None:
        """Show ``composite`` from now on; raises RoomError where the server won't have it."""
        if not self._allowed:
            raise RefusedError(
                "we may not show anything in this group",
                do="give the sidecar's user the permission “present”, or use --publish",
            )
        self._composite = composite
        showing = await self._begin(composite)
        await showing.answered()

    def answered(self, answer: Answered) -> None:
        """The server takes it."""
        if (showing := self._current(answer.stream)) is not None:
            self._errands.start(showing.take(answer.sdp))

    def trickled(self, news: Trickled) -> None:
        """Another way to the server."""
        if (showing := self._current(news.stream)) is not None:
            self._errands.start(showing.trickle(news.candidate))

    def lost(self, stream: str) -> None:
        """The server gave our stream up, or wants it anew."""
        if (showing := self._current(stream)) is not None:
            self._over(showing, "the server gave it up")

    def arrived(self) -> None:
        """Somebody came."""
        self._arrival = asyncio.get_running_loop().time()

    def complained(self, text: str) -> None:
        """What the server complains about may be our offer, if there is one in the air."""
        if self._showing is not None and self._showing.described_at is None:
            self._showing.refuse(text)

    def look(self) -> None:
        """Once a second: show the composite again where that is due."""
        showing, now = self._showing, asyncio.get_running_loop().time()
        if showing is not None and showing.failed:
            self._over(showing, "the connection was lost")
        elif showing is not None and showing.stuck(now):
            self._over(showing, "no connection: is UDP blocked, and is there a TURN server?")
        elif showing is not None and showing.missed_by(self._arrival, now):
            self._renew(showing)
        due = self._composite is not None and self._allowed and now >= self._again_at
        if self._showing is None and self._composite is not None and due:
            self._again_at = now + AGAIN
            self._errands.start(self._retry(self._composite))

    async def close(self) -> None:
        """Free the connection."""
        self._composite = None
        showing, self._showing = self._showing, None
        if showing is not None:
            await showing.close()

    def _current(self, stream: str) -> Showing | None:
        showing = self._showing
        return showing if showing is not None and showing.stream == stream else None

    def _changed(self, showing: Showing) -> None:
        if showing is self._showing and showing.peer.connectionState == "connected":
            showing.connected_at = asyncio.get_running_loop().time()
            self._failed = 0

    def _renew(self, showing: Showing) -> None:
        """Show the composite as a new stream in the old one's place, for those who missed it."""
        self._arrival = float("-inf")
        if self._composite is not None and self._renewed < MAX_RENEWED:
            self._renewed += 1
            self._errands.start(self._retry(self._composite, showing))

    async def _begin(self, composite: TrackSource, replaces: str = "") -> Showing:
        servers = choose_servers(*self._servers, attempt=self._failed)
        showing = Showing(
            secrets.token_hex(16),
            composite,
            servers,
            lambda: self._changed(showing),
            relay_only=self._relay_only,
        )
        self._showing = showing
        sdp = await showing.offer()
        if self._showing is showing:
            self._protocol.offer(showing.stream, sdp, replaces=replaces)
            self._flush()
        return showing

    async def _retry(self, composite: TrackSource, old: Showing | None = None) -> None:
        try:
            await self._begin(composite, "" if old is None else old.stream)
        except Exception:
            log.exception("the composite can't be shown")
            if (showing := self._showing) is not None:
                self._over(showing, "it broke down")
        finally:
            if old is not None:
                self._errands.part(old.close())

    def _over(self, showing: Showing, why: str) -> None:
        log.warning("the composite is not shown", reason=why)
        self._failed += 1
        self._showing = None
        pause = min(LONGEST_PAUSE, AGAIN * (self._failed - 1))
        self._again_at = asyncio.get_running_loop().time() + pause
        self._protocol.streams.withdraw(showing.stream)
        showing.refuse(why)
        self._errands.part(showing.close())
