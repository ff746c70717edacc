"""A room's process without a meeting: speaks the control channel as its first argument says.

``python -m tests.sidecar.supervisor.fake_child BEHAVIOUR DESCRIPTOR``
"""

import asyncio
import os
import socket
import sys

from sidecar.supervisor.control import (
    Begin,
    Call,
    EventReport,
    LeaveRoom,
    ListParticipants,
    Message,
    Raised,
    Returned,
    StateReport,
    StatsReport,
    encode_frame,
    read_message,
)
from sidecar.supervisor.values import RoomState, RoomStats


class FakeRoom:
    """Reports itself live, answers calls, and misbehaves as the test asks."""

    def __init__(self, behaviour: str, descriptor: int) -> None:
        self._behaviour = behaviour
        self._descriptor = descriptor

    async def run(self) -> None:
        channel = socket.socket(fileno=self._descriptor)
        reader, self._writer = await asyncio.open_connection(sock=channel)
        begin = await read_message(reader)
        assert isinstance(begin, Begin), begin
        if self._behaviour == "dies":
            os._exit(9)
        if self._behaviour == "nonsense":
            self._writer.write(b"\0\0\0\3{}!")
        if self._behaviour == "refused":
            self._send(StateReport(state=RoomState.FAILED, reason="wrong PIN", final=True))
            return
        self._send(StateReport(state=RoomState.LIVE))
        self._send(StatsReport(stats=RoomStats(participants=2, frames_in=10)))
        self._send(EventReport(event={"event": "begun", "secrets": sorted(begin.secrets)}))
        while (message := await read_message(reader)) is not None:
            if isinstance(message, Call) and not await self._answer(message):
                return

    async def _answer(self, call: Call) -> bool:
        """Whether to go on."""
        match call.what:
            case LeaveRoom():
                if self._behaviour == "stays":
                    await asyncio.sleep(60)
                self._send(Returned(number=call.number))
                self._send(StateReport(state=RoomState.ENDED, reason="left", final=True))
                await self._writer.drain()
                return False
            case ListParticipants():
                if self._behaviour != "silent":
                    self._send(Returned(number=call.number, result=["ada"]))
            case _:
                self._send(
                    Raised(number=call.number, error="NotFoundError", what="no such", do="look")
                )
        return True

    def _send(self, message: Message) -> None:
        self._writer.write(encode_frame(message))


if __name__ == "__main__":
    asyncio.run(FakeRoom(sys.argv[1], int(sys.argv[2])).run())
