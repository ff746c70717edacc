"""What servers send: messages to the state machine of each adapter, responses to WHIP clients."""

import json
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Final, TypeAlias

from config.errors import ConfigError
from sidecar.dispatch.job_metadata import read_metadata
from sidecar.dispatch.protocol import JobOffered, WorkerProtocol
from sidecar.rooms.janus.messages import JanusLayer
from sidecar.rooms.livekit.encryption import (
    FrameDecryptor,
    FrameEncryptor,
    KeyChain,
    KeyMaterial,
    KeyRing,
)
from sidecar.rooms.livekit.protocol import LiveKitProtocol
from sidecar.rooms.whep.client.endpoint import EndpointKind, endpoint
from sidecar.rooms.whep.client.failures import Failure
from sidecar.rooms.whep.client.link_header import ice_servers
from sidecar.rooms.whep.client.protocol import HttpAnswer, MakeOffer, Negotiation, Response
from tests.fuzz.mutations import NESTED, conversations, mutated
from tests.fuzz.target import FuzzTarget
from tests.sidecar.dispatch.record import transcript as worker_transcript
from tests.sidecar.rooms.galene import test_protocol as galene
from tests.sidecar.rooms.janus.conversation import Conversation
from tests.sidecar.rooms.janus.transcripts import FOLDER, received
from tests.sidecar.rooms.livekit.record import transcript

Messages: TypeAlias = tuple[bytes, ...]

E2EE_RING: Final = KeyRing({0: KeyChain(KeyMaterial(bytes(32), random=True))})
_TURN: Final = b'<turn:turn.example:3478>; rel="ice-server"; username="ada"; credential="sesame"'


def janus_messages(random: Random) -> Iterator[Messages]:
    names = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
    return conversations([[text.encode() for text in received(name)] for name in names], random)


def tell_janus(messages: Messages) -> bool:
    conversation = Conversation(5, 6)
    for number, message in enumerate(messages):
        conversation.receive(message if number % 2 else message.decode(errors="replace"))
        if number % 5 == 0:
            conversation.protocol.tick()
            conversation.exchange()
    conversation.protocol.prefer("5", JanusLayer(1))
    conversation.give_up("5", "lost")
    conversation.protocol.connect()
    conversation.collect()
    return bool(conversation.events)


def galene_messages(random: Random) -> Iterator[Messages]:
    return conversations([[json.dumps(message).encode() for message in galene.HEARD]], random)


def tell_galene(messages: Messages) -> bool:
    client = galene.protocol()
    client.offer(galene.OURS, "v=0")
    events = 0
    for message in messages:
        events += len(client.receive(message.decode(errors="replace")))
        for sent in client.outgoing():
            json.loads(sent)
    client.notify()
    client.request_cameras()
    client.leave()
    return events > 0


def livekit_messages(random: Random) -> Iterator[Messages]:
    corpus = [transcript("watcher"), transcript("publisher")]
    return conversations(
        corpus, random, [b"", b"\xff" * 2000, b"\x2a\x80\x80\x80\x80\x08", *NESTED]
    )


def tell_livekit(messages: Messages) -> bool:
    events = 0
    for watches in (True, False):
        protocol = LiveKitProtocol(watches=watches)
        for message in messages:
            events += len(protocol.receive(message))
            protocol.take()
    return events > 0


def worker_messages(random: Random) -> Iterator[Messages]:
    return conversations([worker_transcript()], random, [b"", b"\xff" * 2000, *NESTED])


def tell_worker(messages: Messages) -> bool:
    protocol = WorkerProtocol("agent")
    events = 0
    for message in messages:
        for event in protocol.receive(message):
            events += 1
            if isinstance(event, JobOffered):
                protocol.answer(event.job.job, available=True)
                with suppress(ConfigError):
                    read_metadata(event.job.metadata)
        protocol.take()
    return events > 0


def encrypted_frames(random: Random) -> Iterator[bytes]:
    key, delta = bytes([0x10]) + bytes(99), bytes([0x11]) + bytes(99)
    encryptor = FrameEncryptor(E2EE_RING)
    slices = b"\0\0\0\1\x67\x42\0\0\0\1\x65\x88" + bytes(range(99)) + bytes([12, 0])
    return mutated([encryptor.encrypt(key), encryptor.encrypt(delta), slices, b"\0\0\1"], random)


def decrypt_frame(data: bytes) -> bool:
    decryptor = FrameDecryptor(E2EE_RING.sender("grace"), b"server-injected!", lambda _: None)
    found = [decryptor.decrypt(codec, data) for codec in ("VP8", "H264")]
    return any(plain is not None for plain in found)


def responses(random: Random) -> Iterator[Messages]:
    """Status, Location, Link, Content-Type, Retry-After and body."""
    good = (b"201", b"/session/7", _TURN, b"application/sdp", b"2", b"v=0\r\nm=video 9 x 96\r\n")
    parts = [
        mutated([b"200", b"201", b"204", b"307", b"401", b"429", b"503"], random),
        mutated(
            [b"/session/7", b"https://other.example/x", b"//h", b"http://[::1", b"\\x"], random
        ),
        mutated([_TURN, b"<stun:stun.example>; rel=ice-server", b"<>" * 200], random),
        mutated([b"application/sdp", b"text/html; charset=x"], random),
        mutated([b"2", b"Wed, 21 Oct 2026 07:28:00 GMT", b"1e999"], random),
        mutated([good[5], b'{"title":"x","detail":"y"}', *NESTED], random),
    ]
    yield good
    while True:
        yield tuple(
            next(part) if random.random() < 0.4 else usual
            for part, usual in zip(parts, good, strict=True)
        )


def answer(parts: Messages) -> bool:
    """Play a server that answers everything alike."""
    status, location, link, kind, wait, body = (part.decode(errors="replace") for part in parts)
    code = int(status) if status.isascii() and status.isdigit() and len(status) < 5 else 500
    headers = [
        ("Location", location),
        ("Link", link),
        ("Content-Type", kind),
        ("Retry-After", wait),
    ]
    response = Response(code, headers, body.encode())
    client = Negotiation(endpoint(EndpointKind.WHEP, "https://live.example/whep?key=hush", "t"))
    step: object = client.begin()
    for _ in range(12):
        if isinstance(step, MakeOffer):
            step = client.offer("v=0\r\n")
        elif isinstance(step, HttpAnswer | Failure):
            break
        step = client.receive(response)
    assert isinstance(step, HttpAnswer | Failure), step
    if isinstance(step, Failure):
        assert "\n" not in str(step)
    client.end()
    return isinstance(step, HttpAnswer)


def links(random: Random) -> Iterator[bytes]:
    many = b'<stun:a>; rel="ice-server", <turn:b?transport=tcp>;rel=ice-server;username="x,y;z"'
    return mutated([_TURN, many, b'<x>;a="' + b"\\" * 3000, b"<" * 5000], random)


def read_links(data: bytes) -> bool:
    return bool(ice_servers([data.decode(errors="replace")]))


TARGETS: Final = (
    FuzzTarget("janus", janus_messages, tell_janus, megabytes=128),
    FuzzTarget("galene", galene_messages, tell_galene, megabytes=128),
    FuzzTarget("livekit", livekit_messages, tell_livekit, megabytes=64),
    FuzzTarget("livekit-worker", worker_messages, tell_worker, megabytes=64),
    FuzzTarget("livekit-frames", encrypted_frames, decrypt_frame, megabytes=16),
    FuzzTarget("whip-response", responses, answer, megabytes=64),
    FuzzTarget("link-header", links, read_links, megabytes=16),
)
