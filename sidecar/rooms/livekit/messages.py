"""What we say to a LiveKit server, as bytes for its WebSocket. Pure."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

from livekit.protocol.models import DisconnectReason, TrackSource, TrackType, VideoQuality
from livekit.protocol.rtc import (
    AddTrackRequest,
    LeaveRequest,
    Ping,
    SessionDescription,
    SignalRequest,
    UpdateSubscription,
    UpdateTrackSettings,
)

from sidecar.rooms.base import ReceiverConstraints
from sidecar.rooms.livekit.people import COMPOSITE

TOLERANCE: Final = 0.9
"""A layer that has so much of what is asked for is good enough for the server
(``layerSelectionTolerance`` in its ``mediatrackreceiver.go``)."""


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


def add_composite(cid: str) -> bytes:
    """Announce the composite as a camera, whose track has the id ``cid`` in the coming offer."""
    request = AddTrackRequest(
        cid=cid, name=COMPOSITE, type=TrackType.VIDEO, source=TrackSource.CAMERA
    )
    return SignalRequest(add_track=request).SerializeToString()


def ping(milliseconds: int, round_trip: int) -> bytes:
    """A sign of life; the time comes back in the ``pong``."""
    return SignalRequest(ping_req=Ping(timestamp=milliseconds, rtt=round_trip)).SerializeToString()


def leave() -> bytes:
    """Say goodbye, so that nobody waits for us to come back."""
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
