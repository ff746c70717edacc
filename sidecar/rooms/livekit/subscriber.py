"""The subscriber's peer connection: answers the server's offers; one feed a camera."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from aiortc import RTCIceServer, RTCRtpTransceiver

from config.errors import ProtocolError
from sidecar.aio import close_all
from sidecar.media.aiortc_patches import take_over
from sidecar.media.decoder import FrameCipher
from sidecar.media.feed import Feed
from sidecar.media.peer import Peer, PeerOptions
from sidecar.media.sdp import VideoSection, deactivate_unknown_codecs, video_sections
from sidecar.rooms.base import ConsentChanged, Joined, SensitivityChosen
from sidecar.rooms.changes import RoomChanges
from sidecar.rooms.events import Offered
from sidecar.rooms.livekit.encryption import FrameDecryptor, KeyRing
from sidecar.rooms.livekit.messages import RemoteParticipant
from sidecar.rooms.livekit.protocol import LiveKitProtocol
from sidecar.rooms.livekit.transport import LiveKitTimeouts, LiveKitTransport

log = structlog.get_logger(__name__)

MAX_PENDING: Final = 64
"""Offers that wait for those before them."""
NO_REUSE: Final = "comes in a media section that this version of aiortc can't use again"


class MediaSection:
    """A media section of the subscriber's connection, and the camera that it carries now.

    The server uses a section again for the next camera, in the same aiortc track. Frames that come
    while it carries none are drained, since aiortc would queue them without bound, and the next
    participant would begin with them.
    """

    def __init__(self, transceiver: RTCRtpTransceiver) -> None:
        self._transceiver = transceiver
        self._ssrcs: tuple[int, ...] = ()
        self._feed = Feed()
        self.track = ""
        """The server's id of the track that it carries; empty where it carries none."""
        self.problem = ""
        """Why the track has no frames; empty where it has."""

    @property
    def feed(self) -> Feed | None:
        """The frames of the track that it carries."""
        return self._feed if self.track and not self.problem else None

    async def carry(
        self, track: str, ssrcs: tuple[int, ...], cipher: FrameCipher | None = None
    ) -> None:
        """Bring the stream of ``ssrcs``, that of ``track``, from now on; empty for none.

        ``cipher`` decrypts its frames.
        """
        if track == self.track and (ssrcs == self._ssrcs or not track):
            return
        self.track, self.problem = track, ""
        if (
            track
            and self._ssrcs
            and ssrcs != self._ssrcs
            and not take_over(self._transceiver, ssrcs)
        ):
            self.problem = NO_REUSE
        self._ssrcs = ssrcs or self._ssrcs
        before, self._feed = self._feed, Feed(cipher=cipher)
        await before.aclose()
        await self._feed.start()
        self._feed.attach(self._transceiver.receiver.track)

    async def aclose(self) -> None:
        """End the feed."""
        await self._feed.aclose()


@dataclass(frozen=True, slots=True)
class ShownCamera:
    """What the room's readers were last informed of about one participant."""

    track: str
    feed: Feed | None
    problem: str


class CarriedTrack(Protocol):
    """A track that comes, or why it does not."""

    @property
    def track(self) -> str: ...
    @property
    def feed(self) -> Feed | None: ...
    @property
    def problem(self) -> str: ...


class ShownCameras:
    """States in ``changes`` which participants of ``protocol`` can be seen."""

    def __init__(self, protocol: LiveKitProtocol, changes: RoomChanges) -> None:
        self._protocol = protocol
        self._changes = changes
        self._shown: dict[str, ShownCamera] = {}

    def update(self, carried: Iterable[CarriedTrack]) -> None:
        """Compare what can be seen now, with these tracks, to what could be before."""
        tracks = {one.track: one for one in carried if one.track}
        cameras = {
            participant.identity: camera
            for participant in self._protocol.participants
            if (camera := self._camera(participant, tracks)) is not None
        }
        for identity in self._shown.keys() - cameras.keys():
            del self._shown[identity]
            self._changes.leave(identity, self._reason(identity))
        for identity, camera in cameras.items():
            if self._shown.get(identity) == camera:
                continue
            self._shown[identity] = camera
            participant = self._protocol.participants.find(identity)
            name = identity if participant is None else participant.name
            self._changes.join(Joined(identity, name, camera.feed, camera.problem))

    def _camera(
        self, participant: RemoteParticipant, tracks: Mapping[str, CarriedTrack]
    ) -> ShownCamera | None:
        """What is to be shown of ``participant``; None while there is nothing to see."""
        camera = participant.camera
        if camera is None or camera.muted:
            return None
        carried = tracks.get(camera.track)
        problem = self._protocol.problem(camera)
        if not problem and carried is not None and carried.problem:
            problem = f"has a camera that {carried.problem}"
        if problem:
            return ShownCamera(camera.track, None, f"{participant.name} {problem}")
        if carried is None or carried.feed is None:
            return None
        return ShownCamera(camera.track, carried.feed, "")

    def _reason(self, identity: str) -> str:
        participant = self._protocol.participants.find(identity)
        if participant is None:
            return "left"
        if participant.camera is None or participant.camera.muted:
            return "turned the camera off"
        return "the camera is not there yet"


class LiveKitSubscriber:
    """Receives cameras over one connection, and states in ``changes`` who can be seen.

    Run ``answer_offers`` as a task until ``aclose``.
    """

    def __init__(
        self,
        transport: LiveKitTransport,
        changes: RoomChanges,
        ice_servers: Iterable[RTCIceServer],
        *,
        relay_only: bool,
        timeouts: LiveKitTimeouts,
        ring: KeyRing | None = None,
    ) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        options = PeerOptions(
            "LiveKit subscriber",
            ice_servers,
            relay_only=relay_only,
            timeouts=timeouts.peer,
            on_message=self.on_message,
        )
        self.peer = Peer(options)
        self._transport = transport
        self._changes = changes
        self._offers: asyncio.Queue[Offered] = asyncio.Queue(MAX_PENDING)
        self.negotiated = asyncio.Event()
        """The first offer is answered: media may flow from now on."""
        self._sections: dict[str, MediaSection] = {}
        self._shown = ShownCameras(transport.protocol, changes)

    async def aclose(self) -> None:
        """End every feed, and free the connection."""
        await close_all((*self._sections.values(), self.peer))

    def offered(self, offered: Offered) -> None:
        """Take the server's offer; raises ProtocolError where too many wait already."""
        if self._offers.full():
            raise ProtocolError("the server negotiates without end", where=self._transport.server)
        self._offers.put_nowait(offered)

    async def answer_offers(self) -> None:
        """Answer offers in their order until cancelled; raises RoomError where one can't be."""
        while True:
            await self._answer(await self._offers.get())
            self.negotiated.set()
            self.update()

    def update(self) -> None:
        """State in ``changes`` what differs from before: who can be seen, and who can't."""
        self._shown.update(self._sections.values())

    async def _answer(self, offered: Offered) -> None:
        try:
            sections = video_sections(offered.sdp)
            sdp = deactivate_unknown_codecs(offered.sdp)
        except ValueError as error:
            reason = f"the offer can't be answered: {error}"
            raise ProtocolError(reason, where=self._transport.server) from error

        async def prepare() -> None:
            await self._assign(sections)

        answer = await self.peer.answer_offer(sdp, prepare)
        with self._transport.send_context() as protocol:
            protocol.answer(answer, offered.revision)

    async def _assign(self, sections: Iterable[VideoSection]) -> None:
        """Let every section carry what the offer says, between the offer and the answer."""
        transceivers = {one.mid: one for one in self.peer.connection.getTransceivers()}
        for section in sections:
            if section.mid not in self._sections and section.track and section.mid in transceivers:
                self._sections[section.mid] = MediaSection(transceivers[section.mid])
            if (ours := self._sections.get(section.mid)) is not None:
                await ours.carry(section.track, section.ssrcs, self._cipher(section.track))

    def _cipher(self, track: str) -> FrameCipher | None:
        """What decrypts the frames of ``track``; None where they are not encrypted."""
        protocol, ring = self._transport.protocol, self._ring
        sender = next(
            (
                participant.identity
                for participant in protocol.participants
                if (camera := participant.camera) is not None
                and camera.track == track
                and camera.encrypted
            ),
            None,
        )
        if ring is None or sender is None:
            return None

        def changed(problem: str) -> None:
            # From the decoder's thread; the loop may be closed by then.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._note_decryption, track, problem)

        return FrameDecryptor(ring.sender(sender), protocol.server_trailer, changed)

    def _note_decryption(self, track: str, problem: str) -> None:
        self._transport.protocol.note_decryption(track, problem)
        self.update()

    def on_message(self, data: str | bytes) -> None:
        """Take a data message: participants may choose by chat."""
        for event in self._transport.protocol.receive_data(data):
            if isinstance(event, ConsentChanged):
                self._changes.choose(event.participant, event.consent)
            elif isinstance(event, SensitivityChosen):
                self._changes.choose_sensitivity(event.participant, event.sensitivity)
