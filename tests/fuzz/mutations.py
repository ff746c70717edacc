"""Inputs from a corpus, changed as damaged files and hostile ones are; or drawn by hypothesis."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final, TypeVar
from zlib import crc32

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

Drawn = TypeVar("Drawn")

INTERESTING: Final = tuple(
    value.to_bytes(size, order, signed=value < 0)
    for size in (1, 2, 4)
    for value in (0, 1, -1, 1 << (8 * size - 2), (1 << (8 * size - 1)) - 1, -(1 << (8 * size - 1)))
    for order in ("big", "little")
)
"""Numbers at the edges of their ranges, as files hold them."""
_BATCH: Final = 100


def mutated(corpus: Sequence[bytes], random: Random) -> Iterator[bytes]:
    """The files of ``corpus`` as they are, then changed in one to eight places, without an end."""
    yield from corpus
    while True:
        data = bytearray(random.choice(corpus))
        for _ in range(random.choice((1, 1, 2, 3, 8))):
            random.choice(_CHANGES)(data, corpus, random)
        changed = bytes(data)
        yield repaired_png(changed) if changed.startswith(b"\x89PNG") else changed


def repaired_png(data: bytes) -> bytes:
    """``data`` with the right checksum in every chunk, so that decoders read on."""
    result, position = bytearray(data), 8
    while position + 12 <= len(result):
        length = int.from_bytes(result[position : position + 4], "big")
        end = position + 8 + length
        if end + 4 > len(result):
            break
        result[end : end + 4] = crc32(result[position + 4 : end]).to_bytes(4, "big")
        position = end + 4
    return bytes(result)


def drawn(strategy: SearchStrategy[Drawn], random: Random) -> Iterator[Drawn]:
    """What hypothesis draws from ``strategy``, without an end."""
    batch: list[Drawn] = []
    while True:

        @seed(random.getrandbits(64))
        @settings(
            max_examples=_BATCH,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def collect(value: Drawn) -> None:
            batch.append(value)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            collect()
        yield from batch
        batch.clear()


def _place(data: bytearray, random: Random) -> int:
    """A place in ``data``, more often near the beginning, where headers are."""
    return min(int(len(data) * random.random() ** random.choice((1, 3))), max(len(data) - 1, 0))


def _bit(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    if data:
        data[_place(data, random)] ^= 1 << random.randrange(8)


def _byte(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    if data:
        data[_place(data, random)] = random.randrange(256)


def _number(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    value, at = random.choice(INTERESTING), _place(data, random)
    data[at : at + len(value)] = value


def _delete(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    at = _place(data, random)
    del data[at : at + random.choice((1, 4, 32, 400))]


def _repeat(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    at = _place(data, random)
    piece = data[at : at + random.choice((1, 8, 64, 500))]
    data[at:at] = piece * random.choice((1, 2, 20))


def _truncate(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    del data[_place(data, random) :]


def _splice(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    other = random.choice(corpus)
    at, start = _place(data, random), random.randrange(max(len(other), 1))
    piece = other[start : start + random.choice((4, 40, 400))]
    data[at : at + (len(piece) if random.random() < 0.5 else 0)] = piece


def _noise(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    at = _place(data, random)
    data[at:at] = random.randbytes(random.choice((1, 3, 20)))


_CHANGES: Final[tuple[Callable[[bytearray, Sequence[bytes], Random], Any], ...]] = (
    _bit,
    _byte,
    _byte,
    _number,
    _number,
    _delete,
    _repeat,
    _truncate,
    _splice,
    _noise,
)


NESTED: Final = (b"[" * 20_000, b'{"type":' * 20_000, b'{"a":' * 900 + b"1" + b"}" * 900)
"""JSON that is nested deeper than parsers go."""


def conversations(
    corpus: Sequence[Sequence[bytes]], random: Random, spices: Sequence[bytes] = NESTED
) -> Iterator[tuple[bytes, ...]]:
    """The message sequences of ``corpus`` as they are, then with messages that are changed, left
    out, repeated and moved, or that are ``spices``, without an end."""
    messages = [message for sequence in corpus for message in sequence]
    changed = mutated(messages, random)
    yield from map(tuple, corpus)
    while True:
        sequence = list(random.choice(corpus))[: random.choice((5, 20, 60))]
        for _ in range(random.choice((1, 1, 2, 4, 10))):
            at = random.randrange(len(sequence) + 1)
            match random.randrange(6):
                case 0:
                    del sequence[at : at + 1]
                case 1:
                    sequence.insert(at, random.choice(messages))
                case 2:
                    random.shuffle(sequence)
                case 3 if random.random() < 0.05:
                    sequence.insert(at, random.choice(spices))
                case _:
                    sequence[at : at + random.randrange(2)] = [next(changed)]
        yield tuple(sequence)
