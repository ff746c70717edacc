"""Who is in a LiveKit room, and what each camera there is good for. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from livekit.protocol.models import Encryption, ParticipantInfo, TrackInfo, TrackSource, TrackType

from sidecar.rooms.base import Consent

COMPOSITE: Final = "reaction-sidecar composite"
"""The name of every sidecar's track, by which sidecars know each other's: a composite within a
composite would grow without end."""
CHOICE: Final = "reactions"
"""The participant attribute, or key of the metadata, that says ``on`` or ``off``."""

DECODABLE: Final = frozenset({"video/vp8", "video/h264"})
MAX_PEOPLE: Final = 1000
MAX_TEXT: Final = 256
"""Characters of a name or identity; LiveKit's own limit is the same."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A published camera."""

    track: str
    """The server's id of the track: ``TR_…``."""
    muted: bool = False
    problem: str = ""
    """Why it can't be watched, in a clause that follows the participant's name; mostly empty."""


@dataclass(frozen=True, slots=True)
class Person:
    """A participant as the server last described them."""

    sid: str
    """Of this stay: somebody who comes back has another."""
    identity: str
    name: str
    version: int
    present: bool
    camera: Camera | None
    consent: Consent | None
    """What their attributes or metadata say; None where those say nothing."""


def read_person(info: ParticipantInfo) -> Person:
    """What ``info`` says of somebody."""
    sidecar = any(track.name == COMPOSITE for track in info.tracks)
    return Person(
        sid=info.sid[:MAX_TEXT],
        identity=info.identity[:MAX_TEXT],
        name=(info.name or info.identity)[:MAX_TEXT],
        version=info.version,
        present=info.state != ParticipantInfo.DISCONNECTED,
        camera=None if sidecar else _camera(info.tracks),
        consent=_consent(info),
    )


def _camera(tracks: Iterable[TrackInfo]) -> Camera | None:
    """The camera among ``tracks``: one that shows something goes before one that is muted, and
    one that says it is a camera before one that says nothing. Screens are none."""
    cameras = [
        track
        for track in tracks
        if track.type == TrackType.VIDEO
        and track.source in (TrackSource.CAMERA, TrackSource.UNKNOWN)
    ]
    if not cameras:
        return None
    best = min(cameras, key=lambda track: (track.muted, track.source != TrackSource.CAMERA))
    return Camera(best.sid[:MAX_TEXT], best.muted, _problem(best))


def _problem(track: TrackInfo) -> str:
    if track.encryption != Encryption.NONE:
        return (
            "encrypts the camera from end to end, which nobody without the key can watch "
            "(leave encryption off in rooms with reactions)"
        )
    types = {codec.mime_type.lower() for codec in track.codecs} | {track.mime_type.lower()}
    types.discard("")
    if not types or types & DECODABLE:
        return ""
    names = " and ".join(sorted(kind.removeprefix("video/").upper()[:16] for kind in types))
    return (
        f"sends the camera in {names} alone, which can't be decoded here (set videoCodec to vp8 "
        "in the client or leave its backup codec on, or leave VP8 and H264 alone in the server's "
        "room.enabled_codecs)"
    )


def _consent(info: ParticipantInfo) -> Consent | None:
    """What they chose by attribute or else by metadata: JSON, or ``reactions=off``."""
    said: object = info.attributes.get(CHOICE)
    if said is None and info.metadata:
        try:
            metadata = json.loads(info.metadata)
        except (ValueError, RecursionError):
            key, _, said = info.metadata.partition("=")
            said = said.strip() if key.strip() == CHOICE else None
        else:
            said = metadata.get(CHOICE) if isinstance(metadata, dict) else None
    match said:
        case "off" | False:
            return Consent.OPT_OUT
        case "on" | True:
            return Consent.OPT_IN
    return None


class Roster:
    """Everybody in the room but ourselves, kept up to date by the server's updates."""

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}

    def __iter__(self) -> Iterator[Person]:
        return iter(tuple(self._people.values()))

    def find(self, identity: str) -> Person | None:
        """Who has ``identity``, if anybody."""
        return self._people.get(identity)

    def update(self, people: Iterable[Person]) -> None:
        """Take an update in: it names some, not all. Old news of the same stay is ignored."""
        for person in people:
            known = self._people.get(person.identity)
            if not person.present:
                if known is not None and known.sid == person.sid:
                    del self._people[person.identity]
                continue
            if known is None and len(self._people) >= MAX_PEOPLE:
                continue
            if known is None or known.sid != person.sid or known.version <= person.version:
                self._people[person.identity] = person
