"""Messages between a detector and its worker processes: typed, framed and pickled.

The stream is a socket pair between a process and its own child. Pixels are not sent: they are in a
``PixelBuffer``.
"""

import io
import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from config.errors import InferenceError
from reactions.compact_pickle import CompactPickle
from reactions.landmark_types import ModelFamily, Sample
from reactions.pipeline import Detection, Memory
from sidecar.captured import Captured
from sidecar.inference.detector import LoadPipeline
from sidecar.inference.pixel_buffer import PixelBuffer

MESSAGE_LIMIT = 1 << 20
"""Bytes of a message. A memory of two hands over two seconds takes 4 KB."""
_HEADER = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """The first message to a worker; a later one loads other models in place of those."""

    load: LoadPipeline


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """The answer to WorkerSetup: the pipeline is loaded, samples may come."""


@dataclass(frozen=True, slots=True)
class WorkerUnusable:
    """The answer to WorkerSetup: the pipeline can't be loaded. The worker ends, or goes on with the
    pipeline that it has."""

    error: Exception


@dataclass(frozen=True, slots=True)
class DetectSample(CompactPickle):
    """Detect the sample whose pixels are in the buffer now: ``height`` x ``width`` x 3 bytes."""

    height: int
    width: int
    time: float
    memory: Memory | None
    landmarks: bool = False
    families: frozenset[ModelFamily] | None = None

    @classmethod
    def of(cls, sample: Sample, memory: Memory | None) -> Self:
        """What is sent of ``sample`` beside its pixels."""
        size = sample.height, sample.width
        return cls(*size, sample.time, memory, sample.landmarks, sample.families)

    def sample(self, pixels: PixelBuffer) -> Sample:
        """The sample whose pixels are in ``pixels``."""
        picture = pixels.read(self.height, self.width)
        return Sample(picture, self.time, self.landmarks, self.families)


@dataclass(frozen=True, slots=True)
class DetectShared(CompactPickle):
    """Detect the sample in the buffer ``slot``, for a room in another process."""

    slot: int
    sample: DetectSample
    deadline: float
    """On the monotonic clock, which all processes of a machine share; infinite for none."""


@dataclass(frozen=True, slots=True)
class SharedOutcome(CompactPickle):
    """The answer to DetectShared; the buffer is free."""

    slot: int
    outcome: Detection | Exception


@dataclass(frozen=True, slots=True)
class SampleDetected(CompactPickle):
    """The answer to DetectSample; the buffer is free."""

    detection: Detection


@dataclass(frozen=True, slots=True)
class SampleFailed:
    """The answer to DetectSample where the pipeline raised ``error``; the buffer is free."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Ping:
    """Is answered by a Pong, after the samples that came before."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The worker has nothing to do and answers."""


ToWorker: TypeAlias = WorkerSetup | DetectSample | Ping
FromWorker: TypeAlias = WorkerReady | WorkerUnusable | SampleDetected | SampleFailed | Pong
WorkerMessage: TypeAlias = ToWorker | FromWorker | DetectShared | SharedOutcome


def encode_message(message: WorkerMessage) -> bytes:
    """One message as bytes of the stream; raises what pickling raises."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _HEADER.pack(len(content)) + content


def sendable(error: Exception) -> Exception:
    """``error``, or a RuntimeError with its text where it can't be pickled and restored."""
    with Captured():
        pickle.loads(pickle.dumps(error))  # noqa: S301
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")


class _DataUnpickler(pickle.Unpickler):
    """Unpickles our own values and numpy's, and nothing else that could be called."""

    def find_class(self, module: str, name: str) -> Any:
        ours = module == __name__ or module.partition(".")[0] == "reactions"
        if ours or (module, name) in _DATA:
            return super().find_class(module, name)
        raise InferenceError(f"a message holds {module}.{name}")


_DATA = frozenset(
    {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
        ("_codecs", "encode"),
        ("builtins", "set"),
        ("builtins", "frozenset"),
        ("collections", "deque"),
    }
)


class MessageDecoder:
    """Splits a stream into messages; what is incomplete waits for the next bytes.

    With ``data_only``, messages may hold values alone: the other side is a process that handles
    media from outside, and must not gain control of this one by what it sends.
    """

    def __init__(self, *, data_only: bool = False) -> None:
        self._received = bytearray()
        self._data_only = data_only

    def feed(self, data: bytes) -> Iterator[WorkerMessage]:
        """The messages that ``data`` completes.

        Raises InferenceError where the stream holds anything else, and what unpickling raises.
        """
        self._received += data
        while len(self._received) >= _HEADER.size:
            (size,) = _HEADER.unpack_from(self._received)
            if size > MESSAGE_LIMIT:
                raise InferenceError(f"message of {size} bytes exceeds {MESSAGE_LIMIT}")
            end = _HEADER.size + size
            if len(self._received) < end:
                return
            content = bytes(self._received[_HEADER.size : end])
            del self._received[:end]
            message = self._unpickle(content)
            if not isinstance(message, WorkerMessage):
                raise InferenceError(f"unknown message {type(message).__name__}")
            yield message

    def _unpickle(self, content: bytes) -> object:
        if self._data_only:
            return _DataUnpickler(io.BytesIO(content)).load()
        return pickle.loads(content)  # noqa: S301 - from our own child or parent
