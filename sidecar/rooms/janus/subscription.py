"""One publisher whom we watch, or try to. Pure."""

from dataclasses import dataclass
from enum import Enum, auto

from sidecar.rooms.janus.messages import Person


@dataclass(frozen=True, slots=True)
class Layer:
    """What of a camera the server is to send."""

    substream: int = 0
    """Of a simulcast camera, from 0, the smallest, to 2."""
    temporal: int = 2
    """Its temporal layer, from 0, the fewest frames, to 2."""
    send: bool = True


class Stage(Enum):
    """How far a subscription is."""

    ATTACHING = auto()
    JOINING = auto()
    OFFERED = auto()
    STARTING = auto()
    WATCHING = auto()
    RESTING = auto()
    IGNORED = auto()


@dataclass(slots=True, eq=False)
class Subscription:
    """Our view of one publisher."""

    person: Person
    stage: Stage = Stage.RESTING
    due: int = 0
    """The round in which this stage is over at the latest."""
    handle: int | None = None
    mid: str = ""
    layer: Layer = Layer()
    asked: Layer | None = None
    failures: int = 0
    problem: str = ""

    @property
    def feed(self) -> str:
        return str(self.person.id)
