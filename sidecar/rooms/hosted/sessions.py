"""The WHIP and WHEP sessions of a room: admitted, kept by heartbeats, removed. Pure."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from config.errors import HttpRefusalError
from sidecar.media.ice import CandidateBudget
from sidecar.rooms.base import Consent
from sidecar.rooms.hosted.offer import Role

NOTICE: Final = 1.0
"""Seconds that it takes to notice: signs of life are looked for twice a second, and so are places
that are to be freed."""
NO_MEDIA: Final = 30.0
"""Seconds without media after which heartbeats alone no longer keep a place."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many may take part in one room at once, and how long the dead keep their places."""

    participants: int = 49
    """Cameras: as many as the largest layout has tiles."""
    viewers: int = 100
    silence: float = 10.0
    """Seconds after a client died by which its place is free again.

    A page sends a heartbeat every 3 s, so two may be lost."""
    per_client: int | None = None
    """Cameras, and viewers, of one client; None: no limit but those of the room."""


@dataclass(slots=True, eq=False)
class Place:
    """One WHIP or WHEP session's place in the room. Times are in seconds on the caller's clock."""

    role: Role
    name: str
    admitted: float
    consent: Consent = Consent.OPT_IN
    client: str = ""
    """Who holds it, as the server counts clients; empty if it does not know."""
    watches: str | None = None
    """The participant whose camera a viewer watches alone; None for the composite."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    """The session's name in its URL: unguessable, never shown to others."""
    participant: str = field(default_factory=lambda: f"p-{secrets.token_hex(4)}")
    """The session's name in events: public."""
    etag: str = field(default_factory=lambda: f'"{secrets.token_hex(8)}"')
    media_at: float | None = None
    """When media (frames of a camera, receiver reports of a viewer) were last seen."""
    beat_at: float | None = None
    """When the last heartbeat came."""
    candidates: CandidateBudget = field(default_factory=CandidateBudget, repr=False)
    """One for the session's offer and all its PATCHes."""

    def verdict(self, now: float, silence: float) -> str | None:
        """Why the place is to be freed at ``now``; None while it is kept."""
        media = max(self.admitted, self.media_at or self.admitted)
        if now - max(media, self.beat_at or media) > silence - NOTICE:
            return "no heartbeat"
        if now - media > NO_MEDIA:
            return "no media"
        return None


class Roster:
    """The places of one room: counted at admission, so that two requests can't share the last."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places: dict[str, Place] = {}

    def __iter__(self) -> Iterator[Place]:
        return iter(list(self._places.values()))

    def count(self, role: Role) -> int:
        """How many places of ``role`` are taken."""
        return sum(place.role is role for place in self._places.values())

    def admit(
        self,
        role: Role,
        name: str,
        now: float,
        consent: Consent = Consent.OPT_IN,
        client: str = "",
    ) -> Place:
        """Take a place; raises HttpRefusalError 503 when the room is full, 429 when ``client`` has
        as many places as one client may."""
        if role is Role.PUBLISH:
            limit, what = self._limits.participants, "participants"
        else:
            limit, what = self._limits.viewers, "viewers"
        if self.count(role) >= limit:
            raise HttpRefusalError(
                f"the room is full: {limit} {what}", status=503, do="try again when one has left"
            )
        self._check_client(role, client)
        place = Place(role, name, now, consent, client)
        self._places[place.token] = place
        return place

    def _check_client(self, role: Role, client: str) -> None:
        limit = self._limits.per_client
        if limit is None or not client:
            return
        held = sum(one.role is role and one.client == client for one in self._places.values())
        if held >= limit:
            what = f"this address has {held} sessions in the room, as many as one may"
            do = "end one first; the setting is server.max_sessions_per_address"
            raise HttpRefusalError(what, status=429, do=do)

    def find(self, role: Role, token: str) -> Place:
        """The place of a session; raises HttpRefusalError 404 where there is none (any more)."""
        place = self._places.get(token)
        if place is None or place.role is not role:
            raise HttpRefusalError("no such session", status=404, do="POST a new offer to join")
        return place

    def remove(self, place: Place) -> bool:
        """Free a place; False if it was free already."""
        return self._places.pop(place.token, None) is not None

    def silent(self, now: float) -> list[tuple[Place, str]]:
        """Every place that is to be freed at ``now``, with the reason."""
        silence = self._limits.silence
        verdicts = ((place, place.verdict(now, silence)) for place in self._places.values())
        return [(place, reason) for place, reason in verdicts if reason is not None]
