"""The program of a worker process: ``python -m sidecar.inference.worker SOCKET PIXELS CAPACITY``.

It is started by ``WorkerProcess`` with two inherited descriptors, and ends when the other end of
the socket is closed: also in the middle of a sample, also when the parent is killed.
"""

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator

from sidecar.captured import Captured
from sidecar.inference.detector import Pipeline
from sidecar.inference.messages import (
    DetectSample,
    FromWorker,
    MessageDecoder,
    Ping,
    Pong,
    SampleDetected,
    SampleFailed,
    WorkerMessage,
    WorkerReady,
    WorkerSetup,
    WorkerUnusable,
    encode_message,
    sendable,
)
from sidecar.inference.pixel_buffer import PixelBuffer

_RECEIVE = 1 << 16
"""Bytes that one read of the socket takes at most."""


def main() -> None:
    # The parent decides when we end: it may still need detection after a signal to all processes of
    # its terminal or its service.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    channel_descriptor, pixel_descriptor, capacity = map(int, sys.argv[1:])
    pixels = PixelBuffer(pixel_descriptor, capacity)
    os.close(pixel_descriptor)
    with socket.socket(fileno=channel_descriptor) as channel:
        threading.Thread(target=_end_with_parent, args=(channel,), daemon=True).start()
        _serve(channel, pixels)


def _end_with_parent(channel: socket.socket) -> None:
    """End the process once the other end of ``channel`` is closed, at any moment."""
    hung_up = select.poll()
    hung_up.register(channel, 0)  # POLLHUP is always reported.
    hung_up.poll()
    # An ordinary exit would wait for the model that is running.
    os.kill(os.getpid(), signal.SIGKILL)


def _serve(channel: socket.socket, pixels: PixelBuffer) -> None:
    messages = _received(channel)
    pipeline = _set_up(channel, messages)
    if pipeline is None:
        return
    # Else a full collection walks 110,000 objects of modules, and a sample waits 60 ms for it.
    gc.freeze()
    for message in messages:
        match message:
            case DetectSample():
                channel.sendall(_answer(pipeline, pixels, message))
            case Ping():
                _send(channel, Pong())
            case WorkerSetup():
                pipeline = _load(channel, message) or pipeline
                _give_back_memory()


def _set_up(channel: socket.socket, messages: Iterator[WorkerMessage]) -> Pipeline | None:
    setup: WorkerMessage | None = None
    with Captured() as attempt:
        setup = next(messages, None)
    if attempt.error is not None:
        _send(channel, WorkerUnusable(_with_traceback(attempt.error)))
    return _load(channel, setup) if isinstance(setup, WorkerSetup) else None


def _load(channel: socket.socket, setup: WorkerSetup) -> Pipeline | None:
    """The pipeline of ``setup``; None where it can't be loaded. Either is answered."""
    with Captured() as attempt:
        pipeline = setup.load()
    if attempt.error is not None:
        _send(channel, WorkerUnusable(_with_traceback(attempt.error)))
        return None
    _send(channel, WorkerReady())
    return pipeline


def _give_back_memory() -> None:
    """Return to the system what models that are no longer used have held, some 100 MB: glibc keeps
    it otherwise."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _answer(pipeline: Pipeline, pixels: PixelBuffer, request: DetectSample) -> bytes:
    with Captured() as attempt:
        detection = pipeline.detect(request.sample(pixels), request.memory)
        answer = encode_message(SampleDetected(detection))
    if attempt.error is not None:
        return encode_message(SampleFailed(_with_traceback(attempt.error)))
    return answer


def _with_traceback(error: Exception) -> Exception:
    """``error`` as it can be sent, with a note of where in this process it was raised."""
    sent = sendable(error)
    sent.add_note("".join(["In an inference worker:\n", *traceback.format_exception(error)]))
    return sent


def _received(channel: socket.socket) -> Iterator[WorkerMessage]:
    decoder = MessageDecoder()
    while data := channel.recv(_RECEIVE):
        yield from decoder.feed(data)


def _send(channel: socket.socket, message: FromWorker) -> None:
    channel.sendall(encode_message(message))


if __name__ == "__main__":
    main()
