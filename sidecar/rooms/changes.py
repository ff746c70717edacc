"""What a room reports: each reader gets the difference to what it already knows.

A room states who is present; nothing is queued. A reader that falls behind misses states in
between (a participant who joined and left again), never the newest state of a participant.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

from config.errors import ConfigError, RoomError
from config.sensitivity import Sensitivity
from sidecar.aio import Broadcast
from sidecar.plain_text import clean_text
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    RoomChange,
    SensitivityChosen,
)

MAX_CHOICES: Final = 1000
"""Participants whose choice is kept: beyond that, the oldest choice of one who is not present is
dropped, and where all are present, further choices are ignored."""


def failed_room(error: Exception, where: str) -> RoomError:
    """What ends a room of which a task failed with ``error``: its own error, or one of ours."""
    if isinstance(error, RoomError):
        return error
    return RoomError(f"internal error: {clean_text(repr(error))}", where=where)


@dataclass(slots=True, eq=False)
class _Presence:
    """One stay of a participant; ``reason`` is set when it is over."""

    joined: Joined
    reason: str = ""


@dataclass(slots=True, eq=False)
class _Reader:
    """What one reader of the changes knows."""

    present: dict[str, _Presence] = field(default_factory=dict)
    choices: dict[str, Consent] = field(default_factory=dict)
    levels: dict[str, Sensitivity] = field(default_factory=dict)


class RoomChanges:
    """The participants of a room and their consent; ``follow`` yields what ``Room.changes`` does.

    All methods but ``follow`` return at once, and do nothing after ``end``.
    """

    def __init__(self) -> None:
        self._present: dict[str, _Presence] = {}
        self._choices: dict[str, Consent] = {}
        self._levels: dict[str, Sensitivity] = {}
        self._updated = Broadcast()
        self._failure: RoomError | ConfigError | None = None
        self.ended = False

    def join(self, joined: Joined) -> None:
        """A participant is present; replaces what was stated of them before."""
        if not self.ended:
            self._replace(joined.participant, "")
            self._present[joined.participant] = _Presence(joined)
            if joined.feed is not None:
                joined.feed.name(joined.participant)
            self._updated.notify()

    def leave(self, participant: str, reason: str) -> None:
        """A participant or their camera is gone; one who is not present is ignored."""
        if not self.ended and participant in self._present:
            self._replace(participant, reason)
            self._updated.notify()

    def choose(self, participant: str, consent: Consent) -> None:
        """A participant opts out or in; they need not be present yet, or may be gone."""
        if self.ended or not self._may_keep(participant, self._choices):
            return
        self._choices[participant] = consent
        self._updated.notify()

    def choose_sensitivity(self, participant: str, sensitivity: Sensitivity) -> None:
        """A participant chooses how easily their reactions start; as ``choose``."""
        if self.ended or not self._may_keep(participant, self._levels):
            return
        self._levels[participant] = sensitivity
        self._updated.notify()

    def forget(self, participant: str, reason: str) -> None:
        """A participant is gone, and so is their identity: nothing of them is kept."""
        self.leave(participant, reason)
        self._choices.pop(participant, None)
        self._levels.pop(participant, None)

    def end(self, failure: RoomError | ConfigError | None = None) -> None:
        """No more changes come: the meeting is over, or ``failure`` ended it. The first counts."""
        if not self.ended:
            self.ended, self._failure = True, failure
            self._updated.notify()

    async def follow(self) -> AsyncGenerator[RoomChange]:
        """Each change since the one before, until the end; raises the failure, if there is one.

        A participant's consent precedes their ``Joined``, so that a camera whose owner opted out
        is never sampled.
        """
        reader = _Reader()
        async for _ in self._updated.updates():
            while (change := self._next(reader)) is not None:
                yield change
            if self.ended:
                break
        if self._failure is not None:
            raise self._failure

    def _next(self, reader: _Reader) -> RoomChange | None:
        """One change that ``reader`` doesn't know yet, which it knows from now on."""
        for participant, known in reader.present.items():
            if participant not in self._present:
                del reader.present[participant]
                return Left(participant, known.reason)
        if (choice := self._next_choice(reader)) is not None:
            return choice
        for participant, presence in self._present.items():
            if reader.present.get(participant) is not presence:
                reader.present[participant] = presence
                return presence.joined
        for participant in reader.choices.keys() - self._choices.keys():
            del reader.choices[participant]
        for participant in reader.levels.keys() - self._levels.keys():
            del reader.levels[participant]
        return None

    def _next_choice(self, reader: _Reader) -> ConsentChanged | SensitivityChosen | None:
        for participant, consent in self._choices.items():
            if reader.choices.get(participant) is not consent:
                reader.choices[participant] = consent
                return ConsentChanged(participant, consent)
        for participant, level in self._levels.items():
            if reader.levels.get(participant) is not level:
                reader.levels[participant] = level
                return SensitivityChosen(participant, level)
        return None

    def _may_keep(
        self, participant: str, choices: dict[str, Consent] | dict[str, Sensitivity]
    ) -> bool:
        """Whether there is room for a choice of ``participant``, made where that can be."""
        if participant in choices or len(choices) < MAX_CHOICES:
            return True
        absent = next((each for each in choices if each not in self._present), None)
        if absent is not None:
            del choices[absent]
        return absent is not None

    def _replace(self, participant: str, reason: str) -> None:
        if (presence := self._present.pop(participant, None)) is not None:
            presence.reason = reason
