"""What was chosen for the participants of a room, which outlasts a session of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.sensitivity import Sensitivity
from sidecar.rooms.base import Consent


@dataclass(frozen=True, slots=True)
class SessionChoices:
    """By participant, present or not; participants without an entry follow the room."""

    consents: Mapping[str, Consent] = field(default_factory=dict)
    sensitivities: Mapping[str, Sensitivity] = field(default_factory=dict)
    pinned: str | None = None
    """Who has the large tile; None follows the settings."""
