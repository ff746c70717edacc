"""Whom a session is told of, what is asked of their cameras, and what changes when. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sidecar.media.feed import Feed
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    ReceiverConstraints,
    RoomChange,
)
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.chat import Said
from sidecar.rooms.livekit.people import Camera, Person, Roster
from sidecar.rooms.livekit.protocol import Subscription
from sidecar.rooms.opt_out_commands import consent_command


@dataclass(frozen=True, slots=True)
class Shown:
    """What a session was told of one participant."""

    track: str
    feed: Feed | None
    problem: str
    consent: Consent | None = None

    def same(self, other: "Shown") -> bool:
        """Whether it is the same camera, watched or not watched for the same reason."""
        return (
            self.track == other.track and self.feed is other.feed and self.problem == other.problem
        )


class Audience:
    """Everybody in the room with a camera, as far as a session is concerned.

    Methods that return bytes say what to send to the server.
    """

    def __init__(self) -> None:
        self._roster = Roster()
        self._wants: dict[str, ReceiverConstraints] = {}
        self._choices: dict[str, Consent] = {}
        self._said: dict[str, Consent] = {}
        self._watched: dict[str, str] = {}
        self._problems: dict[str, str] = {}

    def update(self, people: Iterable[Person]) -> list[bytes]:
        """Take news of participants in."""
        self._roster.update(people)
        present = {person.identity: person for person in self._roster}
        for table in (self._wants, self._choices, self._said):
            for identity in table.keys() - present.keys():
                del table[identity]
        for identity, person in present.items():
            self._heed(identity, person.consent)
        return self._subscribe(present)

    def hear(self, said: Said) -> bool:
        """Take a chat message in; whether it changes anything."""
        consent = consent_command(said.text)
        if consent is None or self._roster.find(said.identity) is None:
            return False
        self._choices[said.identity] = consent
        return True

    def constrain(self, identity: str, want: ReceiverConstraints) -> list[bytes]:
        """Ask for no more of somebody's camera than ``want``."""
        if self._roster.find(identity) is None or self._wants.get(identity) == want:
            return []
        self._wants[identity] = want
        track = self._watched.get(identity)
        return [] if track is None else [messages.settings(track, want)]

    def subscription(self, news: Subscription) -> None:
        """The server says whether a camera can be had."""
        if not news.problem:
            self._problems.pop(news.track, None)
        elif news.track in self._watched.values():
            self._problems[news.track] = news.problem

    def changes(
        self, shown: dict[str, Shown], feed: Callable[[str], Feed | None]
    ) -> list[RoomChange]:
        """What changed since ``shown``, which is brought up to date.

        ``feed`` gives the frames of a track, once they come.
        """
        changes: list[RoomChange] = []
        now = {
            person.identity: state
            for person in self._roster
            if (state := self._state(person, feed)) is not None
        }
        for identity, before in list(shown.items()):
            after = now.get(identity)
            if after is None or not after.same(before):
                changes.append(Left(identity, self._reason(identity)))
                del shown[identity]
        for identity, state in now.items():
            if identity not in shown:
                changes.append(self._joined(identity, state))
                shown[identity] = state
            choice = self._choices.get(identity)
            if choice is not None and choice is not shown[identity].consent:
                changes.append(ConsentChanged(identity, choice))
                shown[identity] = Shown(state.track, state.feed, state.problem, choice)
        return changes

    def _heed(self, identity: str, consent: Consent | None) -> None:
        """Attributes count when they change, so that chat can have the last word as well."""
        if consent is None:
            self._said.pop(identity, None)
        elif self._said.get(identity) is not consent:
            self._said[identity] = self._choices[identity] = consent

    def _subscribe(self, present: dict[str, Person]) -> list[bytes]:
        """Watch every camera that can be, and no other track."""
        wanted = {
            identity: camera.track
            for identity, person in present.items()
            if (camera := person.camera) is not None and not camera.problem
        }
        gone = set(self._watched.values()) - set(wanted.values())
        new = {who: track for who, track in wanted.items() if self._watched.get(who) != track}
        self._watched = wanted
        for track in gone:
            self._problems.pop(track, None)
        sent = [messages.subscribe(sorted(gone), wanted=False)] if gone else []
        if new:
            sent.append(messages.subscribe(new.values(), wanted=True))
        return sent + [
            messages.settings(track, self._wants[who])
            for who, track in new.items()
            if who in self._wants
        ]

    def _state(self, person: Person, feed: Callable[[str], Feed | None]) -> Shown | None:
        """What is to be told of ``person``; None while there is nothing to see."""
        camera = person.camera
        if camera is None or camera.muted:
            return None
        if problem := self._problem(camera):
            return Shown(camera.track, None, f"{person.name} {problem}")
        frames = feed(camera.track)
        return None if frames is None else Shown(camera.track, frames, "")

    def _problem(self, camera: Camera) -> str:
        if why := self._problems.get(camera.track):
            return f"has a camera that {why}"
        return camera.problem

    def _joined(self, identity: str, state: Shown) -> Joined:
        person = self._roster.find(identity)
        name = identity if person is None else person.name
        return Joined(identity, name, state.feed, state.problem)

    def _reason(self, identity: str) -> str:
        person = self._roster.find(identity)
        if person is None:
            return "left"
        if person.camera is None or person.camera.muted:
            return "turned the camera off"
        return "the camera changed"
