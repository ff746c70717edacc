"""LiveKit's messages (protobuf, signalling v0, protocol 16): what we send, and how we read. Pure.

Source: ``livekit_rtc.proto`` and ``livekit_models.proto`` of the server's protocol repository.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiortc import RTCIceCandidate, RTCIceServer
from livekit.protocol.models import (
    DataPacket,
    DisconnectReason,
    EncryptedPacket,
    EncryptedPacketPayload,
    Encryption,
    ParticipantInfo,
    TrackInfo,
    TrackSource,
    TrackType,
    UserPacket,
    VideoQuality,
)
from livekit.protocol.rtc import (
    AddTrackRequest,
    JoinResponse,
    LeaveRequest,
    Ping,
    SessionDescription,
    SignalRequest,
    UpdateParticipantMetadata,
    UpdateSubscription,
    UpdateTrackSettings,
)

from sidecar.media.ice import MAX_CANDIDATE, usable_candidate
from sidecar.media.sdp import DECODABLE
from sidecar.plain_text import clean_text, escape_controls
from sidecar.rooms.base import Consent, ReceiverConstraints
from sidecar.rooms.events import Ended, Refused
from sidecar.rooms.livekit.encryption import E2EE_KEY, IvSequence, KeyRing, seal_message

COMPOSITE: Final = "reaction-sidecar composite"
"""The name of every sidecar's track, by which sidecars recognise each other's: a composite within a
composite would grow without end."""
CHOICE: Final = "reactions"
"""The participant attribute, or key of the metadata, that says ``on`` or ``off``."""
BEAT: Final = "reaction-sidecar.beat"
"""The attribute of a dispatched room's watcher that changes once a second."""
EVENT_TOPIC: Final = "reactions"
"""The topic of our data messages, whose payload is an event as JSON."""

DECODABLE_TYPES: Final = frozenset(f"video/{codec.lower()}" for codec in DECODABLE)
TOLERANCE: Final = 0.9
"""A layer that has so much of what is asked for is good enough for the server
(``layerSelectionTolerance`` in its ``mediatrackreceiver.go``)."""
MAX_TEXT: Final = 256
"""Characters of a name or identity; LiveKit's own limit is the same."""
MAX_URL: Final = 2048
"""Characters of a server's URL."""
MAX_REGIONS: Final = 8
"""Servers of a redirect that are tried."""


def offer(sdp: str) -> bytes:
    """Offer the publisher's connection."""
    return SignalRequest(offer=SessionDescription(type="offer", sdp=sdp)).SerializeToString()


def answer(sdp: str, number: int) -> bytes:
    """Answer the server's offer of that number on the subscriber's connection."""
    description = SessionDescription(type="answer", sdp=sdp, id=number)
    return SignalRequest(answer=description).SerializeToString()


def subscribe(tracks: Iterable[str], *, wanted: bool) -> bytes:
    """Begin to receive ``tracks``, or end it."""
    update = UpdateSubscription(track_sids=list(tracks), subscribe=wanted)
    return SignalRequest(subscription=update).SerializeToString()


def settings(track: str, want: ReceiverConstraints) -> bytes:
    """Ask for the smallest layer of ``track`` that has what is wanted.

    The server takes the spatial layer from width and height and the temporal one from fps. A paused
    track stops within 0.1 s, and comes back without negotiation.
    """
    update = UpdateTrackSettings(track_sids=[track], disabled=want.paused)
    if not want.paused:
        update.quality = VideoQuality.LOW
        update.width = _enough(want.width)
        update.height = _enough(want.height)
        update.fps = _enough(want.fps)
    return SignalRequest(track_setting=update).SerializeToString()


def _enough(amount: float) -> int:
    """What to ask for so that a layer of at least ``amount`` is chosen."""
    return max(1, math.ceil(amount / TOLERANCE))


def add_composite(cid: str, *, encrypted: bool = False) -> bytes:
    """Announce the composite as a camera, whose track has the id ``cid`` in the coming offer."""
    request = AddTrackRequest(
        cid=cid,
        name=COMPOSITE,
        type=TrackType.VIDEO,
        source=TrackSource.CAMERA,
        encryption=Encryption.GCM if encrypted else Encryption.NONE,
    )
    return SignalRequest(add_track=request).SerializeToString()


def ping(milliseconds: int, round_trip: int) -> bytes:
    """A sign of life; the time comes back in the ``pong``."""
    return SignalRequest(ping_req=Ping(timestamp=milliseconds, rtt=round_trip)).SerializeToString()


def beat(number: int) -> bytes:
    """Say that we live to who lists the participants: an attribute that changes each time."""
    update = UpdateParticipantMetadata(attributes={BEAT: str(number)})
    return SignalRequest(update_metadata=update).SerializeToString()


def leave() -> bytes:
    """Say that we leave, so that the server does not wait for us to come back."""
    request = LeaveRequest(reason=DisconnectReason.CLIENT_INITIATED, action=LeaveRequest.DISCONNECT)
    return SignalRequest(leave=request).SerializeToString()


def query(*, watches: bool) -> Mapping[str, str]:
    """The query of the WebSocket's address; the token travels in a header instead.

    No ``sdk`` is named: the server then neither expects a codec to be exchanged in mid-stream nor
    SCTP without checksums, and aiortc does neither.
    """
    return {
        "protocol": "16",
        "auto_subscribe": "0",
        # With it each camera begins with its lowest layer, until we say what is wanted.
        "adaptive_stream": "1" if watches else "0",
        "subscriber_allow_pause": "0",
        "auto_subscribe_data_track": "0",
    }


def event_packet(payload: bytes) -> bytes:
    """A data message with ``payload`` to all participants."""
    return DataPacket(user=UserPacket(payload=payload, topic=EVENT_TOPIC)).SerializeToString()


class MessageEncryptor:
    """Encrypts our data messages from end to end."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._ivs = IvSequence()

    def event_packet(self, payload: bytes) -> bytes:
        """A data message with ``payload`` to all participants who have the key."""
        user = UserPacket(payload=payload, topic=EVENT_TOPIC)
        plain = EncryptedPacketPayload(user=user).SerializeToString()
        sealed, iv, key = seal_message(self._ring, self._ivs, plain)
        packet = EncryptedPacket(
            encryption_type=Encryption.GCM, iv=iv, key_index=key, encrypted_value=sealed
        )
        return DataPacket(encrypted_packet=packet).SerializeToString()


@dataclass(frozen=True, slots=True)
class CameraTrack:
    """A published camera."""

    track: str
    """The server's id of the track: ``TR_…``."""
    muted: bool = False
    encrypted: bool = False
    """From end to end, with a key that all participants share."""
    problem: str = ""
    """Why it can't be watched, in a clause that follows the participant's name; mostly empty."""


@dataclass(frozen=True, slots=True)
class RemoteParticipant:
    """A participant as the server last described them."""

    sid: str
    """Of this stay: a participant who comes back has another."""
    identity: str
    name: str
    version: int
    present: bool
    camera: CameraTrack | None
    consent: Consent | None
    """What their attributes or metadata say; None where those say nothing."""


def read_identity(identity: str) -> str:
    """A participant's identity as it may be shown; different ones stay different."""
    return escape_controls(identity[:MAX_TEXT])


def read_participant(info: ParticipantInfo, *, decrypts: bool = False) -> RemoteParticipant:
    """What ``info`` says of a participant; ``decrypts``: we have a key for encrypted cameras."""
    sidecar = any(track.name == COMPOSITE for track in info.tracks)
    return RemoteParticipant(
        sid=info.sid[:MAX_TEXT],
        identity=read_identity(info.identity),
        name=clean_text(info.name or info.identity, MAX_TEXT),
        version=info.version,
        present=info.state != ParticipantInfo.DISCONNECTED,
        camera=None if sidecar else _camera(info.tracks, decrypts=decrypts),
        consent=_consent(info),
    )


def _camera(tracks: Iterable[TrackInfo], *, decrypts: bool) -> CameraTrack | None:
    """The camera among ``tracks``: one that is on goes before one that is muted, and one that says
    it is a camera before one that says nothing. Screens are none."""
    cameras = [
        track
        for track in tracks
        if track.type == TrackType.VIDEO
        and track.source in (TrackSource.CAMERA, TrackSource.UNKNOWN)
    ]
    if not cameras:
        return None
    best = min(cameras, key=lambda track: (track.muted, track.source != TrackSource.CAMERA))
    encrypted = best.encryption != Encryption.NONE
    problem = _problem(best, decrypts=decrypts)
    return CameraTrack(best.sid[:MAX_TEXT], best.muted, encrypted, problem)


def _problem(track: TrackInfo, *, decrypts: bool) -> str:
    if track.encryption == Encryption.CUSTOM:
        return "encrypts the camera from end to end in a way of its own"
    if track.encryption != Encryption.NONE and not decrypts:
        return (
            "encrypts the camera from end to end, so that only holders of the key can watch it "
            f"(set {E2EE_KEY} to the room's shared key, or leave encryption off)"
        )
    types = {codec.mime_type.lower() for codec in track.codecs} | {track.mime_type.lower()}
    types.discard("")
    if not types or types & DECODABLE_TYPES:
        return ""
    names = " and ".join(
        sorted(clean_text(kind.removeprefix("video/"), 16).upper() for kind in types)
    )
    return (
        f"sends the camera in {names} alone, which can't be decoded here (set videoCodec to vp8 "
        "in the client or leave its backup codec on, or leave VP8 and H264 alone in the server's "
        "room.enabled_codecs)"
    )


def _consent(info: ParticipantInfo) -> Consent | None:
    """What they chose, by attribute or else by metadata: JSON, or ``reactions=off``."""
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


REASONS: Final[Mapping[int, Refused | Ended]] = {
    DisconnectReason.UNKNOWN_REASON: Refused("the server ended the connection", final=False),
    DisconnectReason.CLIENT_INITIATED: Refused(
        "the server reports that the sidecar left", final=False
    ),
    DisconnectReason.DUPLICATE_IDENTITY: Refused(
        "another client joined with the same identity",
        "give each sidecar a token with an identity of its own",
    ),
    DisconnectReason.SERVER_SHUTDOWN: Refused("the server shuts down", final=False),
    DisconnectReason.PARTICIPANT_REMOVED: Refused(
        "a moderator removed the sidecar from the room", "ask them before joining again"
    ),
    DisconnectReason.ROOM_DELETED: Refused("the room was deleted"),
    DisconnectReason.STATE_MISMATCH: Refused(
        "the server's state of the sidecar is inconsistent", final=False
    ),
    DisconnectReason.JOIN_FAILURE: Refused("the server could not admit the sidecar", final=False),
    DisconnectReason.MIGRATION: Refused("the room moves to another server", final=False),
    DisconnectReason.SIGNAL_CLOSE: Refused("the signalling connection was closed", final=False),
    DisconnectReason.ROOM_CLOSED: Ended("all participants left, and the room closed"),
    DisconnectReason.USER_UNAVAILABLE: Refused("a caller was not available", final=False),
    DisconnectReason.USER_REJECTED: Refused("a caller rejected the call"),
    DisconnectReason.SIP_TRUNK_FAILURE: Refused("a telephone line failed", final=False),
    DisconnectReason.CONNECTION_TIMEOUT: Refused(
        "the server received nothing from the sidecar", final=False
    ),
    DisconnectReason.MEDIA_FAILURE: Refused("the media connection failed", final=False),
    DisconnectReason.AGENT_ERROR: Refused(
        "the server counts the sidecar as a failed agent", final=False
    ),
}
"""Every reason of the protocol; one that is newer than this list counts as UNKNOWN_REASON."""

MOVED: Final = Refused("the server moved the sidecar to another room", final=False)


def read_leave(leave: LeaveRequest) -> Refused | Ended:
    """Why the server ends our stay, and whether coming back can help.

    Where it asks us to come back (RESUME, RECONNECT), that goes before the reason.
    """
    known = REASONS.get(leave.reason, REASONS[DisconnectReason.UNKNOWN_REASON])
    if leave.action == LeaveRequest.DISCONNECT and not leave.can_reconnect:
        return known
    return Refused(known.reason if isinstance(known, Ended) else known.what, final=False)


def read_regions(leave: LeaveRequest) -> tuple[str, ...]:
    """Where to go next instead, as ``wss://`` addresses, the nearest first."""
    urls = [region.url for region in leave.regions.regions[:MAX_REGIONS]]
    return tuple(url for url in urls if 0 < len(url) <= MAX_URL)


def read_candidate(init: str) -> RTCIceCandidate | None:
    """The candidate in the JSON of an RTCIceCandidateInit; None where there is no usable one."""
    if len(init) > MAX_CANDIDATE:
        return None
    try:
        return usable_candidate(json.loads(init))
    except (ValueError, RecursionError):
        return None


def read_ice_servers(join: JoinResponse) -> tuple[RTCIceServer, ...]:
    """The ICE servers that the server names to us."""
    return tuple(
        RTCIceServer(list(server.urls[:8]), server.username or None, server.credential or None)
        for server in join.ice_servers[:32]
    )
