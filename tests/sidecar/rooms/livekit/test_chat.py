"""Chat messages of LiveKit's clients, old and new."""

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models

from sidecar.rooms.livekit.chat import MAX_CHAT, MAX_STREAMS, ChatMessage, ChatReader


def packet(identity: str = "ada", **value: Any) -> bytes:
    return models.DataPacket(participant_identity=identity, **value).SerializeToString()


def stream(text: str, name: str = "1", topic: str = "lk.chat", pieces: int = 1) -> list[bytes]:
    content = text.encode()
    size = max(1, -(-len(content) // pieces))
    header = models.DataStream.Header(stream_id=name, topic=topic, total_length=len(content))
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    return [
        packet(stream_header=header),
        *(
            packet(
                stream_chunk=models.DataStream.Chunk(
                    stream_id=name, chunk_index=index, content=chunk
                )
            )
            for index, chunk in enumerate(chunks)
        ),
        packet(stream_trailer=models.DataStream.Trailer(stream_id=name)),
    ]


def heard(chat: ChatReader, messages: list[bytes]) -> list[ChatMessage]:
    return [said for message in messages if (said := chat.receive(message)) is not None]


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_message_in_pieces_is_put_together(pieces: int) -> None:
    messages = stream("!reactions off", pieces=pieces)
    assert heard(ChatReader(), messages) == [ChatMessage("ada", "!reactions off")]


def test_messages_of_several_at_a_time_are_kept_apart() -> None:
    chat = ChatReader()
    first, second = stream("one", "1"), stream("two", "2")
    mixed = [message for pair in zip(first, second, strict=True) for message in pair]
    assert [said.text for said in heard(chat, mixed)] == ["one", "two"]


@pytest.mark.parametrize("deflated", [False, True])
def test_a_message_within_its_header_is_read(deflated: bool) -> None:
    content = b"!reactions on"
    if deflated:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content = packer.compress(content) + packer.flush()
    header = models.DataStream.Header(
        stream_id="1",
        topic="lk.chat",
        inline_content=content,
        compression="DEFLATE_RAW" if deflated else "NONE",
    )
    assert ChatReader().receive(packet(stream_header=header)) == ChatMessage("ada", "!reactions on")


def test_a_message_that_would_unpack_without_end_is_none() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(b"a" * 10_000_000) + packer.flush()
    header = models.DataStream.Header(
        topic="lk.chat",
        inline_content=bomb,
        compression=models.DataStream.CompressionType.DEFLATE_RAW,
    )
    assert ChatReader().receive(packet(stream_header=header)) is None


def test_older_clients_are_read_as_well() -> None:
    message = packet(chat_message=models.ChatMessage(message="hello"))
    assert ChatReader().receive(message) == ChatMessage("ada", "hello")
    user = models.UserPacket(
        topic="lk-chat-topic", payload=json.dumps({"message": "hello"}).encode()
    )
    assert ChatReader().receive(packet(user=user)) == ChatMessage("ada", "hello")


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"message": 7}', b"\xff", b"[" * 50_000])
def test_what_is_no_chat_is_none(payload: bytes) -> None:
    user = models.UserPacket(topic="lk-chat-topic", payload=payload)
    assert ChatReader().receive(packet(user=user)) is None


def test_other_topics_are_ignored() -> None:
    assert heard(ChatReader(), stream("!reactions off", topic="files")) == []
    user = models.UserPacket(topic="game", payload=b'{"message": "!reactions off"}')
    assert ChatReader().receive(packet(user=user)) is None


def test_a_message_that_is_longer_than_any_command_is_dropped() -> None:
    assert heard(ChatReader(), stream("a" * (MAX_CHAT + 1))) == []
    header, *chunks, trailer = stream("a" * 200)
    assert heard(ChatReader(), [header, *chunks, *chunks, trailer]) == []


def test_messages_that_never_end_are_forgotten() -> None:
    chat = ChatReader()
    first, *rest = stream("!reactions off", "first")
    chat.receive(first)
    for number in range(MAX_STREAMS):
        chat.receive(stream("x", str(number))[0])
    assert heard(chat, rest) == []


@given(st.lists(st.sampled_from([*stream("!reactions off", pieces=3), b"\xff", b""]), max_size=30))
def test_pieces_in_any_order_do_no_harm(messages: list[bytes]) -> None:
    heard(ChatReader(), messages)


@given(st.binary(max_size=500) | st.text(max_size=50))
def test_garbage_is_nothing_said(data: bytes | str) -> None:
    said = ChatReader().receive(data)
    assert said is None or isinstance(said.text, str)
