"""LiveKit's end-to-end encryption with a shared key: keys, frames and data messages. Pure.

The format is that of LiveKit's clients (``src/e2ee`` of its JavaScript SDK 2.23.0): AES-GCM with a
key of 128 bits. A frame is a clear header, which is authenticated, then ciphertext with its tag,
the initialization vector, the length of that and the index of the key.
"""

import base64
import binascii
import hashlib
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.errors import ConfigError

E2EE_KEY: Final = "LIVEKIT_E2EE_KEY"
"""The variable with key 0 of the ring; ``LIVEKIT_E2EE_KEY_1`` … have further ones."""
RAW: Final = "base64:"
"""What a key of random bytes begins with; any other text is a passphrase."""
RING: Final = 16
"""Keys of a ring (``keyringSize``)."""
KEY_NAMES: Final = (E2EE_KEY, *(f"{E2EE_KEY}_{index}" for index in range(1, RING)))
"""The variables with the keys of a ring, by their index."""
_NUMBERED: Final = re.compile(rf"{E2EE_KEY}_\d+")
WINDOW: Final = 8
"""How many times a sender may have ratcheted its key further than we know (``ratchetWindowSize``).
"""
RATCHETS: Final = 1024
"""How often a key may be ratcheted in all: each step takes some 50 ms of a core, and is kept."""
SENDERS: Final = 1024
"""Participants whose ratcheting is remembered; of more, those that came first begin again."""
TOLERANCE: Final = 10
"""Frames in a row that can't be decrypted before that is reported (``failureTolerance``)."""
SALT: Final = b"LKFrameEncryptionKey"
ITERATIONS: Final = 100_000
INFO: Final = bytes(128)
KEY_BYTES, MATERIAL_BYTES, IV_BYTES, TAG_BYTES = 16, 32, 12, 16
TRAILER_BYTES: Final = 2
VP8_KEY_HEADER, VP8_DELTA_HEADER = 10, 3
"""Clear bytes of a VP8 frame, for which a server can tell key frames (RFC 6386 §9.1)."""
H264_SLICES: Final = frozenset({1, 5})
"""NAL unit types of slices (H.264 table 7-1): up to the first one and its second byte all is clear.
"""


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """What keys are derived from: a passphrase, or random bytes."""

    secret: bytes = field(repr=False)
    random: bool

    def derive(self, length: int) -> bytes:
        """``length`` bytes by PBKDF2 from a passphrase, by HKDF from random bytes."""
        if self.random:
            return HKDF(SHA256(), length, SALT, INFO).derive(self.secret)
        return hashlib.pbkdf2_hmac("sha256", self.secret, SALT, ITERATIONS, length)

    def ratchet(self) -> "KeyMaterial":
        """The material that follows this one."""
        return KeyMaterial(self.derive(MATERIAL_BYTES), self.random)


class KeyChain:
    """A key, and those that it becomes by ratcheting; each is derived once, when it is needed.

    Used from several threads: a derivation takes some 25 ms.
    """

    def __init__(self, material: KeyMaterial) -> None:
        self._materials = [material]
        self._ciphers: list[AESGCM] = []
        self._lock = threading.Lock()

    def cipher(self, position: int = 0) -> AESGCM:
        """The cipher after ``position`` ratchets."""
        # Without the lock, which another thread may have for some 50 ms: the list only grows.
        if position < len(self._ciphers):
            return self._ciphers[position]
        with self._lock:
            while len(self._ciphers) <= position:
                material = self._materials[len(self._ciphers)]
                self._ciphers.append(AESGCM(material.derive(KEY_BYTES)))
                self._materials.append(material.ratchet())
            return self._ciphers[position]

    @property
    def derived(self) -> int:
        """How many positions have a cipher that waits for no derivation."""
        return len(self._ciphers)


class SenderKeys:
    """The keys of a ring as one participant uses them: how far it has ratcheted each.

    All tracks and messages of a participant have one, as in LiveKit's clients: a camera that is
    published again goes on where the one before was. Used from several threads.
    """

    def __init__(self, chains: Mapping[int, KeyChain]) -> None:
        self._chains = chains
        self._positions: dict[int, int] = {}

    def has(self, key: int) -> bool:
        """Whether there is a key of this index."""
        return key in self._chains

    def open_frame(self, key: int, iv: bytes, sealed: bytes, header: bytes) -> bytes | None:
        """What a frame holds; None for another key. May derive up to ``WINDOW`` keys."""
        known = self._positions.get(key, 0)
        return self._open(key, iv, sealed, header, min(known + WINDOW, RATCHETS) + 1)

    def open_message(self, key: int, iv: bytes, sealed: bytes) -> bytes | None:
        """What a message holds; None for another key. Derives no key, since the loop waits."""
        known = self._positions.get(key, 0)
        return self._open(key, iv, sealed, None, min(known + WINDOW + 1, self._chains[key].derived))

    def _open(
        self, key: int, iv: bytes, sealed: bytes, header: bytes | None, end: int
    ) -> bytes | None:
        chain = self._chains[key]
        for position in range(self._positions.get(key, 0), end):
            try:
                plain = chain.cipher(position).decrypt(iv, sealed, header)
            except InvalidTag:
                continue
            # Another thread may be further by now.
            self._positions[key] = max(position, self._positions.get(key, 0))
            return plain
        return None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a room by index; the one with the lowest index encrypts."""

    chains: Mapping[int, KeyChain] = field(repr=False)
    _senders: dict[str, SenderKeys] = field(default_factory=dict, repr=False)

    def sender(self, identity: str) -> SenderKeys:
        """The keys as this participant uses them; from the event loop alone."""
        if identity not in self._senders:
            if len(self._senders) >= SENDERS:
                del self._senders[next(iter(self._senders))]
            self._senders[identity] = SenderKeys(self.chains)
        return self._senders[identity]

    @property
    def own_index(self) -> int:
        """The index of the key that we encrypt with."""
        return min(self.chains)

    def derive(self) -> None:
        """Derive all keys, for which no later frame or message has to wait; some 50 ms each."""
        for chain in self.chains.values():
            chain.cipher()

    def own_cipher(self) -> AESGCM:
        """The cipher that we encrypt with."""
        return self.chains[self.own_index].cipher()


def read_ring(environ: Mapping[str, str]) -> KeyRing | None:
    """The keys in ``environ``, None where there is none; raises ConfigError, without the key."""
    for name in environ:
        if _NUMBERED.fullmatch(name) and name not in KEY_NAMES:
            do = f"name it {E2EE_KEY}, or {E2EE_KEY}_1 to _{RING - 1}"
            raise ConfigError("a ring has no key of this number", where=name, do=do)
    chains = {
        index: KeyChain(_read_material(environ[name], name))
        for index, name in enumerate(KEY_NAMES)
        if environ.get(name)
    }
    return KeyRing(chains) if chains else None


def _read_material(text: str, name: str) -> KeyMaterial:
    if not text.startswith(RAW):
        return KeyMaterial(text.encode(errors="surrogateescape"), random=False)
    try:
        secret = base64.b64decode(text.removeprefix(RAW), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < KEY_BYTES:
        what = f"no base64 of {KEY_BYTES} bytes or more follows {RAW}"
        raise ConfigError(what, where=name, do="make one with: openssl rand -base64 32")
    return KeyMaterial(secret, random=True)


class FrameEncryptor:
    """Encrypts the frames of one track: VP8, as every composite is."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._ivs = IvSequence()

    def encrypt(self, data: bytes) -> bytes:
        """The frame as it is sent."""
        header = data[: _vp8_header(data)]
        iv = self._ivs.next()
        sealed = self._ring.own_cipher().encrypt(iv, data[len(header) :], header)
        return b"".join((header, sealed, iv, bytes((IV_BYTES, self._ring.own_index))))


class IvSequence:
    """Initialization vectors, none of which comes twice: 8 random bytes and a count."""

    def __init__(self) -> None:
        self._prefix = os.urandom(8)
        self._count = 0

    def next(self) -> bytes:
        """The next one, 12 bytes."""
        if self._count == 1 << 32:
            self._prefix, self._count = os.urandom(8), 0
        self._count += 1
        return self._prefix + (self._count - 1).to_bytes(4, "big")


class FrameDecryptor:
    """Decrypts the frames of one track by its sender's ``keys``, in its decoder's thread.

    ``changed`` is called in that thread with why no frame can be decrypted, after ``TOLERANCE``
    such frames in a row, and with an empty text once one can. Frames that the server itself puts
    in end with ``server_trailer``; they are blank, and are left out.
    """

    def __init__(
        self, keys: SenderKeys, server_trailer: bytes, changed: Callable[[str], None]
    ) -> None:
        self._keys = keys
        self._server_trailer = server_trailer
        self._changed = changed
        self._failures = 0

    def decrypt(self, codec: str, data: bytes) -> bytes | None:
        """The frame as the encoder made it; None where there is none to be had.

        ``codec`` is ``VP8`` or ``H264``.
        """
        if self._server_trailer and data.endswith(self._server_trailer):
            return None
        plain, problem = self._open(codec, data)
        if plain is None:
            self._failures += 1
            if self._failures == TOLERANCE:
                self._changed(problem)
            return None
        if self._failures >= TOLERANCE:
            self._changed("")
        self._failures = 0
        return plain

    def _open(self, codec: str, data: bytes) -> tuple[bytes | None, str]:
        """The frame, or why it can't be decrypted, in a clause that follows "a camera that"."""
        frame = split_frame(codec, data)
        if frame is None:
            return None, "is not encrypted in the way of LiveKit's clients"
        if not self._keys.has(frame.key):
            return None, f"is encrypted with key {frame.key} of its ring, which is not known here"
        plain = self._keys.open_frame(frame.key, frame.iv, frame.sealed, frame.header)
        if plain is not None:
            return frame.header + plain, ""
        return None, f"is encrypted with another key (check {E2EE_KEY})"


@dataclass(frozen=True, slots=True)
class EncryptedFrame:
    """The parts of an encrypted frame."""

    header: bytes
    sealed: bytes
    """Ciphertext and tag."""
    iv: bytes
    key: int
    """Its index."""


def split_frame(codec: str, data: bytes) -> EncryptedFrame | None:
    """The parts of ``data``; None where it is no encrypted frame."""
    if codec.upper() == "H264":
        start = _h264_header(data)
        rest = data[start:].replace(b"\x00\x00\x03", b"\x00\x00")
    else:
        start = _vp8_header(data)
        rest = data[start:]
    if start == 0 or len(rest) < TAG_BYTES + IV_BYTES + TRAILER_BYTES or rest[-2] != IV_BYTES:
        return None
    sealed = rest[: -IV_BYTES - TRAILER_BYTES]
    return EncryptedFrame(data[:start], sealed, rest[len(sealed) : -TRAILER_BYTES], rest[-1])


def _vp8_header(data: bytes) -> int:
    """Clear bytes of a VP8 frame: the first bit says whether it is a delta frame."""
    if not data:
        return 0
    return VP8_DELTA_HEADER if data[0] & 1 else VP8_KEY_HEADER


def _h264_header(data: bytes) -> int:
    """Clear bytes of an H.264 frame (Annex B); 0 where there is no slice."""
    found = data.find(b"\x00\x00\x01")
    while 0 <= found < len(data) - 3:
        if data[found + 3] & 0x1F in H264_SLICES:
            return found + 5
        found = data.find(b"\x00\x00\x01", found + 3)
    return 0


def seal_message(ring: KeyRing, ivs: IvSequence, payload: bytes) -> tuple[bytes, bytes, int]:
    """A data message's encrypted payload, its initialization vector and the key's index."""
    iv = ivs.next()
    return ring.own_cipher().encrypt(iv, payload, None), iv, ring.own_index


def open_message(keys: SenderKeys, sealed: bytes, iv: bytes, key: int) -> bytes | None:
    """The payload of a sender's encrypted data message; None where it can't be decrypted."""
    if not keys.has(key) or len(iv) != IV_BYTES:
        return None
    return keys.open_message(key, iv, sealed)
