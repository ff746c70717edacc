import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ControlError
from sidecar.supervisor.control import (
    MAX_FRAME,
    Begin,
    Call,
    ChangeRoom,
    EventReport,
    LeaveRoom,
    Message,
    Raised,
    Returned,
    StateReport,
    StatsReport,
    decode_frame,
    encode_frame,
    read_message,
)
from sidecar.supervisor.values import RoomPatch, RoomRequest, RoomState, RoomStats

MESSAGES: list[Message] = [
    Begin(
        room="r-1",
        request=RoomRequest(url="wss://sfu.example", labels=("wave",)),
        secrets={"A": "b"},
        settings={"log": {"level": "info"}},
        table={},
        inference="/run/x",
    ),
    Call(number=1, what=ChangeRoom(patch=RoomPatch(paused=True))),
    Call(number=2, what=LeaveRoom()),
    Returned(number=1, result=[{"a": 1}]),
    Raised(number=2, error="RoomError", what="gone"),
    StateReport(state=RoomState.LIVE),
    StatsReport(stats=RoomStats(participants=3, dropped={"deadline": 2})),
    EventReport(event={"event": "reaction.started", "t": 1.5}),
]


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: str(message.kind))
async def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert await read_message(reader_of(encode_frame(message))) == message


async def test_the_end_of_the_channel_is_no_message() -> None:
    assert await read_message(reader_of(encode_frame(MESSAGES[0])[:-1])) is None
    assert await read_message(reader_of(b"")) is None


async def test_a_frame_that_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(ControlError, match="too long"):
        await read_message(reader_of((MAX_FRAME + 1).to_bytes(4, "big")))


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ControlError, match="too long"):
        encode_frame(EventReport(event={"x": "y" * MAX_FRAME}))


@given(st.binary(max_size=200))
def test_nonsense_is_a_control_error(body: bytes) -> None:
    with pytest.raises(ControlError):
        decode_frame(body)
