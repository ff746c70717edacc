"""Frames and messages of an end-to-end encrypted room, against an encoder written from the format.

The keys of ``test_keys_are_those_of_livekit_s_client`` are what Node's WebCrypto derives.
"""

import base64
import os
import threading

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from livekit.protocol.models import ChatMessage as ChatPacket
from livekit.protocol.models import DataPacket, EncryptedPacket, EncryptedPacketPayload

from config.errors import ConfigError
from sidecar.rooms.livekit import encryption
from sidecar.rooms.livekit.chat import ChatMessage, ChatReader
from sidecar.rooms.livekit.encryption import (
    E2EE_KEY,
    TOLERANCE,
    WINDOW,
    FrameDecryptor,
    FrameEncryptor,
    IvSequence,
    KeyMaterial,
    KeyRing,
    open_message,
    read_ring,
    seal_message,
    split_frame,
)
from sidecar.rooms.livekit.messages import MessageEncryptor

PASSPHRASE = "correct horse battery staple"
KEY_FRAME = bytes([0x10, 2, 0, 0x9D, 1, 0x2A, 64, 1, 180, 0]) + bytes(range(200))
DELTA_FRAME = bytes([0x11, 2, 0]) + bytes(range(200))
TRAILER = b"server-injected!"


def ring(key: str = PASSPHRASE, **more: str) -> KeyRing:
    found = read_ring({E2EE_KEY: key, **more})
    assert found is not None
    return found


class Reported:
    """A decryptor and what it reported."""

    def __init__(self, keys: KeyRing, sender: str = "grace") -> None:
        self.problems: list[str] = []
        self.decryptor = FrameDecryptor(keys.sender(sender), TRAILER, self.problems.append)

    def decrypt(self, data: bytes, codec: str = "VP8") -> bytes | None:
        return self.decryptor.decrypt(codec, data)


@pytest.mark.parametrize(("frame", "clear"), [(KEY_FRAME, 10), (DELTA_FRAME, 3)])
def test_a_frame_comes_back_with_its_header_in_the_clear(frame: bytes, clear: int) -> None:
    sent = FrameEncryptor(ring()).encrypt(frame)
    assert sent[:clear] == frame[:clear]
    assert frame[clear : clear + 50] not in sent
    assert sent[-2:] == bytes([12, 0])
    assert len(sent) == len(frame) + 16 + 12 + 2
    assert Reported(ring()).decrypt(sent) == frame


def test_no_initialization_vector_comes_twice() -> None:
    ivs = IvSequence()
    assert len({ivs.next() for _ in range(1000)}) == 1000
    assert {len(ivs.next())} == {12}


def test_a_changed_header_is_not_accepted() -> None:
    sent = bytearray(FrameEncryptor(ring()).encrypt(KEY_FRAME))
    sent[7] ^= 1
    assert Reported(ring()).decrypt(bytes(sent)) is None


def test_another_key_is_reported_once_and_its_end_too() -> None:
    reported = Reported(ring("another"))
    wrong = FrameEncryptor(ring()).encrypt(DELTA_FRAME)
    for _ in range(3 * TOLERANCE):
        assert reported.decrypt(wrong) is None
    assert reported.problems == [f"is encrypted with another key (check {E2EE_KEY})"]
    right = FrameEncryptor(ring("another")).encrypt(DELTA_FRAME)
    assert reported.decrypt(right) == DELTA_FRAME
    assert reported.problems[1:] == [""]


def test_a_few_frames_that_can_t_be_decrypted_are_no_problem() -> None:
    reported = Reported(ring())
    right, wrong = (FrameEncryptor(ring(key)).encrypt(DELTA_FRAME) for key in (PASSPHRASE, "x"))
    for _ in range(5):
        for _ in range(TOLERANCE - 1):
            reported.decrypt(wrong)
        assert reported.decrypt(right) == DELTA_FRAME
    assert not reported.problems


def test_a_sender_may_ratchet_its_key_within_the_window() -> None:
    material = KeyMaterial(os.urandom(32), random=True)
    text = f"base64:{base64.b64encode(material.secret).decode()}"
    reported = Reported(ring(text))
    for steps in range(1, WINDOW + 3):
        material = material.ratchet()
        assert reported.decrypt(frame_with(material)) == DELTA_FRAME, steps
    too_far = KeyMaterial(base64.b64decode(text.removeprefix("base64:")), random=True)
    for _ in range(WINDOW + 1):
        too_far = too_far.ratchet()
    assert Reported(ring(text)).decrypt(frame_with(too_far)) is None


def test_a_sender_may_not_ratchet_its_key_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "RATCHETS", 3)
    keys, material = random_ring()
    reported = Reported(keys)
    for _ in range(3):
        material = material.ratchet()
        assert reported.decrypt(frame_with(material)) == DELTA_FRAME
    assert reported.decrypt(frame_with(material.ratchet())) is None
    assert reported.decrypt(frame_with(material)) == DELTA_FRAME


def test_a_camera_that_is_published_again_goes_on_where_its_sender_was() -> None:
    """As in LiveKit's clients, in which a participant's tracks have their keys together."""
    keys, material = random_ring()
    before = Reported(keys)
    for _ in range(WINDOW + 1):
        material = material.ratchet()
        assert before.decrypt(frame_with(material)) == DELTA_FRAME
    assert Reported(keys).decrypt(frame_with(material)) == DELTA_FRAME
    assert Reported(keys, sender="ada").decrypt(frame_with(material)) is None


def test_messages_of_a_sender_that_ratcheted_are_opened_once_its_frames_were() -> None:
    keys, material = random_ring()
    keys.derive()
    ratcheted = material.ratchet()
    iv = os.urandom(12)
    sealed = AESGCM(ratcheted.derive(16)).encrypt(iv, b"payload", None)
    grace, ada = keys.sender("grace"), keys.sender("ada")
    assert open_message(grace, sealed, iv, 0) is None
    assert keys.chains[0].derived == 1, "the loop derives no key"
    assert Reported(keys).decrypt(frame_with(ratcheted)) == DELTA_FRAME
    assert open_message(grace, sealed, iv, 0) == b"payload"
    assert open_message(ada, sealed, iv, 0) == b"payload"


def test_the_ratcheting_of_so_many_participants_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encryption, "SENDERS", 2)
    keys = ring()
    ada, grace = keys.sender("ada"), keys.sender("grace")
    assert keys.sender("ada") is ada
    keys.sender("alan")
    assert keys.sender("grace") is grace
    assert keys.sender("ada") is not ada


def random_ring() -> tuple[KeyRing, KeyMaterial]:
    """A ring of one key of random bytes, and that key."""
    material = KeyMaterial(os.urandom(32), random=True)
    return ring(f"base64:{base64.b64encode(material.secret).decode()}"), material


def test_a_key_that_was_derived_waits_for_no_other_derivation() -> None:
    keys = ring()
    keys.derive()
    chain = keys.chains[0]
    with chain._lock:
        worker = threading.Thread(target=keys.own_cipher)
        worker.start()
        worker.join(timeout=30)
        assert not worker.is_alive()


@pytest.mark.parametrize("number", ["0", "16", "01", "99"])
def test_a_key_that_no_ring_has_is_refused(number: str) -> None:
    name = f"{E2EE_KEY}_{number}"
    with pytest.raises(ConfigError, match=rf"^{name}: a ring has no key of this number"):
        read_ring({E2EE_KEY: "one", name: "two"})


def frame_with(material: KeyMaterial, index: int = 0) -> bytes:
    iv = os.urandom(12)
    sealed = AESGCM(material.derive(16)).encrypt(iv, DELTA_FRAME[3:], DELTA_FRAME[:3])
    return DELTA_FRAME[:3] + sealed + iv + bytes([12, index])


def test_each_index_of_the_ring_has_its_key() -> None:
    keys = ring("zero", LIVEKIT_E2EE_KEY_3="three")
    reported = Reported(keys)
    assert reported.decrypt(frame_with(KeyMaterial(b"three", random=False), 3)) == DELTA_FRAME
    assert reported.decrypt(frame_with(KeyMaterial(b"zero", random=False), 0)) == DELTA_FRAME
    for _ in range(TOLERANCE):
        reported.decrypt(frame_with(KeyMaterial(b"three", random=False), 5))
    assert reported.problems == ["is encrypted with key 5 of its ring, which is not known here"]


def test_frames_of_the_server_are_left_out_and_are_no_failure() -> None:
    reported = Reported(ring())
    for _ in range(3 * TOLERANCE):
        assert reported.decrypt(KEY_FRAME + TRAILER) is None
    assert not reported.problems


@pytest.mark.parametrize("data", [b"", b"\x10", KEY_FRAME[:30], DELTA_FRAME, bytes(12) + b"\x0c"])
@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_garbage_is_no_encrypted_frame(data: bytes, codec: str) -> None:
    assert split_frame(codec, data) is None
    assert Reported(ring()).decrypt(data, codec) is None


def h264_frame(body: bytes) -> bytes:
    """As LiveKit's client encrypts one: to the second byte of the slice all is in the clear."""
    start = b"\x00\x00\x00\x01"
    header = start + b"\x67\x42\xc0\x1f" + start + b"\x68\xce\x3c\x80" + start + b"\x65\x88"
    iv = bytes(12)
    sealed = AESGCM(KeyMaterial(PASSPHRASE.encode(), random=False).derive(16)).encrypt(
        iv, body, header
    )
    return header + escaped(sealed + iv + bytes([12, 0]))


def escaped(data: bytes) -> bytes:
    """With the emulation prevention bytes of H.264 §7.4.1."""
    made, zeros = bytearray(), 0
    for byte in data:
        if zeros >= 2 and byte <= 3:
            made.append(3)
            zeros = 0
        made.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(made)


def test_an_h264_frame_is_unescaped_before_it_is_decrypted() -> None:
    body = bytes(range(256)) * 8
    sent = h264_frame(body)
    assert b"\x00\x00\x03\x00" in sent, "its vector of zeros is escaped"
    plain = Reported(ring()).decrypt(sent, "H264")
    assert plain is not None
    assert plain.endswith(b"\x65\x88" + body)


def test_keys_are_those_of_livekit_s_client() -> None:
    passphrase = KeyMaterial(PASSPHRASE.encode(), random=False)
    random = KeyMaterial(bytes(range(32)), random=True)
    assert passphrase.derive(16).hex() == "dee9745ab873685c2579655a7296d1a4"
    assert random.derive(16).hex() == "6d0dd7b3d6f4efde47ab9a9e15abde76"


@pytest.mark.parametrize("text", ["base64:", "base64:AAAA", "base64:not base64 at all, is it?"])
def test_a_key_of_random_bytes_that_is_too_short_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigError, match=E2EE_KEY) as caught:
        read_ring({E2EE_KEY: text})
    assert text.removeprefix("base64:")[:8] not in str(caught.value) or text == "base64:"
    assert read_ring({}) is None
    assert PASSPHRASE not in repr(ring())


def test_messages_are_encrypted_and_opened() -> None:
    keys = ring()
    sealed, iv, index = seal_message(keys, IvSequence(), b"payload")
    keys.derive()
    grace = keys.sender("grace")
    assert open_message(grace, sealed, iv, index) == b"payload"
    assert open_message(grace, sealed, iv, 5) is None
    assert open_message(grace, sealed, b"short", index) is None
    another = ring("another")
    another.derive()
    assert open_message(another.sender("grace"), sealed, iv, index) is None


def test_our_events_are_sent_encrypted() -> None:
    packet = DataPacket.FromString(MessageEncryptor(ring()).event_packet(b'{"kind":"x"}'))
    assert packet.WhichOneof("value") == "encrypted_packet"
    sealed = packet.encrypted_packet
    keys = ring()
    keys.derive()
    plain = open_message(keys.sender("us"), sealed.encrypted_value, sealed.iv, sealed.key_index)
    assert plain is not None
    user = EncryptedPacketPayload.FromString(plain).user
    assert (user.topic, user.payload) == ("reactions", b'{"kind":"x"}')


@pytest.mark.parametrize(("key", "read"), [(PASSPHRASE, True), ("another", False)])
def test_chat_is_read_by_those_who_have_the_key(key: str, *, read: bool) -> None:
    payload = EncryptedPacketPayload(chat_message=ChatPacket(message="!reactions off"))
    sealed, iv, index = seal_message(ring(), IvSequence(), payload.SerializeToString())
    packet = DataPacket(
        participant_identity="grace",
        encrypted_packet=EncryptedPacket(encrypted_value=sealed, iv=iv, key_index=index),
    )
    keys = ring(key)
    keys.derive()
    found = ChatReader(keys).receive(packet.SerializeToString())
    assert found == (ChatMessage("grace", "!reactions off") if read else None)
    assert ChatReader().receive(packet.SerializeToString()) is None
