"""Chat messages of LiveKit, in the three ways that clients send them. Pure."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol.models import DataPacket, DataStream, EncryptedPacketPayload

from sidecar.rooms.livekit.encryption import KeyRing, open_message
from sidecar.rooms.livekit.messages import read_identity

STREAM_TOPIC: Final = "lk.chat"
LEGACY_TOPIC: Final = "lk-chat-topic"
MAX_PACKET: Final = 64 * 1024
"""Bytes of a data packet that is read."""
MAX_CHAT: Final = 256
"""Bytes of a chat message; commands are shorter, and a longer text is none."""
MAX_STREAMS: Final = 64
"""Chat messages that may be on their way at a time."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """``identity`` wrote ``text``."""

    identity: str
    text: str


class ChatReader:
    """Reads chat messages out of the data messages that carry them.

    There are three ways, all in use: a data stream with the topic ``lk.chat``, a ChatMessage
    packet, and JSON in a user packet with the topic ``lk-chat-topic``. Garbage and long texts are
    ignored.
    """

    def __init__(self, ring: KeyRing | None = None) -> None:
        self._ring = ring
        """Opens messages that are encrypted from end to end."""
        self._streams: dict[tuple[str, str], bytes] = {}

    def receive(self, data: bytes | str) -> ChatMessage | None:
        """The chat message that ``data`` completes, if it does."""
        if isinstance(data, str) or len(data) > MAX_PACKET:
            return None
        try:
            packet = DataPacket.FromString(data)
        except DecodeError:
            return None
        if packet.HasField("encrypted_packet"):
            packet = self._opened(packet)
        text = self._text(packet)
        # The server puts the sender in, so that no client can speak for another.
        return (
            None if text is None else ChatMessage(read_identity(packet.participant_identity), text)
        )

    def _opened(self, packet: DataPacket) -> DataPacket:
        """What an encrypted packet holds, with its sender; empty where it can't be opened."""
        sealed = packet.encrypted_packet
        opened = DataPacket(participant_identity=packet.participant_identity)
        if self._ring is None:
            return opened
        keys = self._ring.sender(read_identity(packet.participant_identity))
        plain = open_message(keys, sealed.encrypted_value, sealed.iv, sealed.key_index)
        try:
            payload = EncryptedPacketPayload.FromString(plain or b"")
        except DecodeError:
            return opened
        kind = payload.WhichOneof("value")
        if kind in ("user", "chat_message", "stream_header", "stream_chunk", "stream_trailer"):
            getattr(opened, kind).CopyFrom(getattr(payload, kind))
        return opened

    def _text(self, packet: DataPacket) -> str | None:
        match packet.WhichOneof("value"):
            case "chat_message":
                return packet.chat_message.message
            case "user" if packet.user.topic == LEGACY_TOPIC:
                return _legacy(packet.user.payload)
            case "stream_header":
                return self._begin(packet.participant_identity, packet.stream_header)
            case "stream_chunk":
                chunk = packet.stream_chunk
                self._continue((packet.participant_identity, chunk.stream_id), chunk.content)
            case "stream_trailer":
                stream = (packet.participant_identity, packet.stream_trailer.stream_id)
                return _decoded(self._streams.pop(stream, None))
        return None

    def _begin(self, identity: str, header: DataStream.Header) -> str | None:
        if header.topic != STREAM_TOPIC or header.total_length > MAX_CHAT:
            return None
        if header.HasField("inline_content"):
            deflated = header.compression == DataStream.CompressionType.DEFLATE_RAW
            content = header.inline_content
            return _decoded(_inflated(content) if deflated else content)
        while len(self._streams) >= MAX_STREAMS:
            del self._streams[next(iter(self._streams))]
        self._streams[identity, header.stream_id] = b""
        return None

    def _continue(self, stream: tuple[str, str], content: bytes) -> None:
        if stream in self._streams:
            self._streams[stream] += content
            if len(self._streams[stream]) > MAX_CHAT:
                del self._streams[stream]


def _legacy(payload: bytes) -> str | None:
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    text = message.get("message") if isinstance(message, Mapping) else None
    return text if isinstance(text, str) else None


def _inflated(content: bytes) -> bytes | None:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, MAX_CHAT + 1)
    except zlib.error:
        return None


def _decoded(content: bytes | None) -> str | None:
    if content is None or len(content) > MAX_CHAT:
        return None
    return content.decode(errors="replace")
