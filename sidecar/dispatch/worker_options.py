"""At which LiveKit server we register, as what, and which room a job of its asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.dispatch.job_metadata import read_metadata, room_request, room_suffix
from sidecar.rooms.livekit.tokens import IDENTITY_SUFFIX, KEY, SECRET, KeyPair
from sidecar.supervisor.values import RoomRequest


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """At which LiveKit server we register, and as what."""

    server: str
    """``ws://`` or ``wss://``, without a path."""
    keys: KeyPair
    agent_name: str
    namespace: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further secrets of each room: the keys of end-to-end encryption."""

    def request(self, room: str, metadata: str) -> RoomRequest:
        """What a job in ``room`` asks for; raises ConfigError for metadata that can't be read."""
        identity = {IDENTITY_SUFFIX: room_suffix(self.agent_name, room)}
        keys = {KEY: self.keys.key, SECRET: self.keys.secret}
        secrets = {**self.secrets, **keys, **identity}
        return room_request(self.server, room, secrets, read_metadata(metadata))
