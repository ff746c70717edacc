"""One detector for the rooms of many processes: samples by shared memory, results by a socket.

``DetectorShare`` is the side of the process that has the workers, ``SharedDetector`` that of a
room. A share has a few slots; a slot holds one sample from the moment that it is sent until its
result comes. Waiting, deadlines and fairness between participants are the room's own
(``Dispatcher``); between rooms the detector itself is fair.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Self

import structlog

from config.errors import InferenceError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.aio import Component, TaskSet
from sidecar.captured import Captured
from sidecar.inference.detector import Detector, DetectorStats
from sidecar.inference.dispatcher import Dispatcher
from sidecar.inference.messages import (
    DetectSample,
    DetectShared,
    MessageDecoder,
    SharedOutcome,
    encode_message,
    sendable,
)
from sidecar.inference.pixel_buffer import PixelBuffer

log = structlog.get_logger(__name__)

_RECEIVE: Final = 1 << 16
"""Bytes that one read of the socket takes at most."""


class DetectorShare:
    """Serves one room's samples with ``detector``; ``name`` tells the rooms apart.

    ``argument`` and ``descriptors`` are for the room's process, which passes the first to
    ``SharedDetector.inherited``. Start the share once that process runs.
    """

    def __init__(self, detector: Detector, name: str, *, slots: int, capacity: int) -> None:
        self._detector = detector
        self._name = name
        self._ours, self._theirs = socket.socketpair()
        self._buffers: list[PixelBuffer] = []
        self._pixels: list[int] = []
        for _ in range(slots):
            buffer, descriptor = PixelBuffer.allocate(capacity)
            self._buffers.append(buffer)
            self._pixels.append(descriptor)
        self._capacity = capacity
        self._tasks = TaskSet()
        self._writer: asyncio.StreamWriter | None = None

    @property
    def descriptors(self) -> Sequence[int]:
        """What the room's process inherits."""
        return (self._theirs.fileno(), *self._pixels)

    @property
    def argument(self) -> str:
        """What the room's process gets as argument: capacity and descriptors."""
        return ",".join(map(str, (self._capacity, *self.descriptors)))

    async def start(self) -> None:
        """Begin to serve; the room's process has its descriptors by now, and ours are closed."""
        self._close_theirs()
        reader, self._writer = await asyncio.open_connection(sock=self._ours)
        self._tasks.create_task(self._serve(reader), name=f"samples of {self._name}")

    async def aclose(self) -> None:
        """End serving and free the memory."""
        await self._tasks.aclose()
        self._close_theirs()
        if self._writer is None:
            self._ours.close()
        else:
            self._writer.transport.abort()
        for buffer in self._buffers:
            # A sample that is still looked at keeps its memory until that ends.
            with contextlib.suppress(BufferError):
                buffer.close()
        self._buffers.clear()

    def _close_theirs(self) -> None:
        self._theirs.close()
        while self._pixels:
            os.close(self._pixels.pop())

    async def _serve(self, reader: asyncio.StreamReader) -> None:
        decoder = MessageDecoder(data_only=True)
        # What a broken room sends may raise anything while it is unpickled.
        with Captured() as attempt, contextlib.suppress(ConnectionError):
            while data := await reader.read(_RECEIVE):
                for message in decoder.feed(data):
                    if not isinstance(message, DetectShared):
                        raise InferenceError(f"unexpected {type(message).__name__}")
                    self._tasks.create_task(self._detect(message), name=f"sample of {self._name}")
        if attempt.error is not None:
            log.warning("detection refused", room=self._name, reason=repr(attempt.error))
            if self._writer is not None:
                # The room's process sees this and ends.
                self._writer.transport.abort()

    async def _detect(self, request: DetectShared) -> None:
        sent, source = request.sample, f"{self._name}/{request.slot}"
        outcome: Detection | Exception
        # The pipeline may raise anything; it is for the room that sent the sample.
        with Captured() as attempt:
            sample = sent.sample(self._buffers[request.slot])
            outcome = await self._detector.detect(
                sample, sent.memory, request.deadline, source=source
            )
        if attempt.error is not None:
            # Its traceback leads back to this frame, which would keep the sample's memory.
            outcome = sendable(attempt.error.with_traceback(None))
        if self._writer is not None:
            self._writer.write(encode_message(SharedOutcome(request.slot, outcome)))


class SharedDetector(Component):
    """A detector whose workers are another process's; the other side is a ``DetectorShare``."""

    def __init__(self, channel: socket.socket, buffers: Sequence[PixelBuffer]) -> None:
        self._channel = channel
        self._slots = [_Slot(self, number, buffer) for number, buffer in enumerate(buffers)]
        self._dispatcher = Dispatcher()
        self._tasks = TaskSet()
        self._writer: asyncio.StreamWriter | None = None
        self._lost = asyncio.Event()

    @classmethod
    def inherited(
        cls, argument: str, descriptors: Mapping[int, int] = MappingProxyType({})
    ) -> Self:
        """The detector by ``DetectorShare.argument``.

        ``descriptors`` are this process's by those of the argument, where they are others.
        """
        capacity, *given = map(int, argument.split(","))
        channel, *pixels = (descriptors.get(one, one) for one in given)
        buffers = [PixelBuffer(descriptor, capacity) for descriptor in pixels]
        for descriptor in pixels:
            os.close(descriptor)
        return cls(socket.socket(fileno=channel), buffers)

    async def start(self) -> None:
        """Connect to the workers."""
        reader, self._writer = await asyncio.open_connection(sock=self._channel)
        self._tasks.create_task(self._receive(reader), name="detections")
        for slot in self._slots:
            self._dispatcher.attach(slot)

    async def aclose(self) -> None:
        """End all calls, and disconnect."""
        self._dispatcher.close()
        await self._tasks.aclose()
        if self._writer is None:
            self._channel.close()
        else:
            self._writer.transport.abort()
        for slot in self._slots:
            slot.buffer.close()

    async def detect(
        self,
        sample: Sample,
        memory: Memory | None,
        deadline: float | None = None,
        *,
        source: str,
    ) -> Detection:
        capacity = self._slots[0].buffer.capacity
        if sample.pixels.nbytes > capacity:
            size = f"{sample.width}x{sample.height}"
            raise ValueError(f"a sample of {size} exceeds {capacity} bytes")
        return await self._dispatcher.detect(source, sample, memory, deadline)

    def stats(self) -> DetectorStats:
        return self._dispatcher.stats(restarts=0)

    async def wait_lost(self) -> None:
        """Wait until the workers can't be reached any more: all later samples would be dropped."""
        await self._lost.wait()

    def send(self, request: DetectShared) -> None:
        """Send a request; its sample is in the slot's buffer."""
        assert self._writer is not None
        self._writer.write(encode_message(request))

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        decoder = MessageDecoder()
        try:
            while data := await reader.read(_RECEIVE):
                for message in decoder.feed(data):
                    if not isinstance(message, SharedOutcome):
                        raise InferenceError(f"unexpected {type(message).__name__}")
                    self._take(message)
        except ConnectionError:
            pass
        finally:
            for slot in self._slots:
                self._dispatcher.detach(slot)
            self._lost.set()

    def _take(self, answer: SharedOutcome) -> None:
        slot = self._slots[answer.slot]
        if isinstance(answer.outcome, Exception):
            self._dispatcher.fail(slot, answer.outcome)
        else:
            self._dispatcher.finish(slot, answer.outcome)


class _Slot:
    """One sample under way: a worker to the dispatcher."""

    def __init__(self, detector: SharedDetector, number: int, buffer: PixelBuffer) -> None:
        self.buffer = buffer
        self._detector = detector
        self._number = number

    def begin(self, sample: Sample, memory: Memory | None, deadline: float) -> None:
        self.buffer.write(sample.pixels)
        sent = DetectSample.of(sample, memory)
        self._detector.send(DetectShared(self._number, sent, deadline))
