"""What the policy reports: a reaction builds up, starts and ends."""

from dataclasses import dataclass
from enum import StrEnum

from reactions.geometry import Box
from reactions.landmark_types import Side


class ReactionStage(StrEnum):
    """Where in its life a reaction is."""

    PROGRESS = "progress"
    """The label is being held; ``progress`` says how far (back at 0: given up)."""
    STARTED = "started"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class ReactionEvent:
    """One step in the life of one participant's reaction."""

    stage: ReactionStage
    time: float
    """Seconds on the clock of the samples."""
    participant: str
    label: str
    score: float
    """The newest score that counted, 0–1."""
    progress: float
    """How much of the hold has passed, 0–1; 1 once started."""
    box: Box
    """Where the label was last seen, in fractions of the participant's picture."""
    hand: Side | None = None
    person: int = 0
    """Which of several people in the participant's picture, 0–3; 0 where there is one."""
