"""Messages between a detector and its workers, as a stream of bytes."""

import pickle
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import InferenceError, ModelError, SignallingError
from reactions.geometry import Box
from reactions.gestures.motion import Motion
from reactions.labels import LabelScore
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.track_state import Tracks
from reactions.pipeline import Detection, Memory
from sidecar.inference.messages import (
    MESSAGE_LIMIT,
    DetectSample,
    MessageDecoder,
    Ping,
    Pong,
    SampleDetected,
    WorkerMessage,
    WorkerReady,
    encode_message,
    sendable,
)

MEMORY = Memory(Tracks(640, 360, Fingerprint(b"grey", 1.0)), Motion())
DETECTION = Detection((LabelScore("smile", 0.9, Box(0, 0, 1, 1)),), None, MEMORY, 6.0)
MESSAGES = st.sampled_from(
    [
        DetectSample(360, 640, 1.5, None),
        DetectSample(360, 640, 1.5, MEMORY),
        SampleDetected(DETECTION),
        WorkerReady(),
        Ping(),
        Pong(),
    ]
)


@given(st.lists(MESSAGES), st.integers(1, 700))
def test_messages_come_out_of_the_stream_as_they_went_in(
    messages: Sequence[WorkerMessage], size: int
) -> None:
    stream = b"".join(map(encode_message, messages))
    decoder = MessageDecoder()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [message for piece in pieces for message in decoder.feed(piece)] == list(messages)


def test_a_message_that_claims_too_much_is_refused() -> None:
    with pytest.raises(InferenceError, match="message of 4294967295 bytes exceeds"):
        list(MessageDecoder().feed(b"\xff\xff\xff\xff"))
    assert 100 * len(encode_message(SampleDetected(DETECTION))) < MESSAGE_LIMIT


def test_anything_but_a_message_is_refused() -> None:
    content = pickle.dumps("hello")
    with pytest.raises(InferenceError, match="unknown message str"):
        list(MessageDecoder().feed(len(content).to_bytes(4, "big") + content))


def test_an_error_keeps_its_parts_on_the_way() -> None:
    error = sendable(ModelError("is missing", where="palm.tflite", do="fetch it"))
    restored = pickle.loads(pickle.dumps(error))
    assert isinstance(restored, ModelError)
    assert (restored.what, restored.where, restored.do) == ("is missing", "palm.tflite", "fetch it")
    assert str(restored) == str(error)


def test_an_error_that_can_not_be_restored_keeps_its_text() -> None:
    error = sendable(SignallingError("no", status=404))
    assert isinstance(error, RuntimeError)
    assert str(error) == "SignallingError: no"
