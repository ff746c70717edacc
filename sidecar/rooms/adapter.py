"""What a meeting system brings: how its addresses look, and a ``Room`` for one of them.

Adapters are found as entry points of the group ``reaction_sidecar.rooms``: the name is the system's
and the object an ``Adapter``. ``docs/adapters.md`` shows how to write one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp
from aiortc import RTCIceServer

from sidecar.rooms.room import Room

GROUP = "reaction_sidecar.rooms"


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """How to take part, whatever the system."""

    name: str
    """What the others see wherever the sidecar must be seen: the publisher, mostly."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where keys, tokens and passwords come from. Never shown, logged or put into an error."""
    rate: float = 5.0
    """Samples a second: more frames than that are of use to the composite alone."""
    ice_servers: Sequence[RTCIceServer] = field(default=(), repr=False)
    """STUN and TURN servers; those that the system names come on top."""
    relay_only: bool = False
    """Send media through a TURN server and no other way."""


class Adapter(Protocol):
    """One meeting system. Adapters have no state: rooms do."""

    @property
    def system(self) -> str:
        """The system's name as people know it, such as LiveKit."""
        ...

    @property
    def forms(self) -> Sequence[str]:
        """The addresses it takes, for people: ``livekit://HOST/ROOM``."""
        ...

    def recognises(self, url: str) -> bool:
        """Whether ``url`` may be one of this system's, by its look alone."""
        ...

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """Whether the server behind ``url`` is of this system.

        Asked only where several adapters recognise an address, since only then it costs a request.
        """
        ...

    def room(self, url: str, options: JoinOptions) -> Room:
        """The room at ``url``, not entered yet; may be called again to join anew.

        Raises ConfigError where the address is incomplete, or a key or token is missing or wrong.
        """
        ...
