"""H.264 written bit by bit: streams of a few bytes that announce pictures of any size."""

from collections.abc import Iterator


class BitWriter:
    """Bits in the order in which they are written."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def unsigned(self, value: int, count: int) -> "BitWriter":
        self._bits.append(format(value, f"0{count}b"))
        return self

    def golomb(self, *values: int) -> "BitWriter":
        """Unsigned Exp-Golomb codes, ITU-T H.264, 9.1."""
        for value in values:
            code = format(value + 1, "b")
            self._bits.append("0" * (len(code) - 1) + code)
        return self

    def unit(self, header: int) -> bytes:
        """A NAL unit with start code, trailing bits and emulation prevention bytes."""
        bits = "".join(self._bits) + "1"
        bits += "0" * (-len(bits) % 8)
        escaped, zeros = bytearray(), 0
        for byte in int(bits, 2).to_bytes(len(bits) // 8, "big"):
            if zeros >= 2 and byte <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\x00\x00\x00\x01" + bytes([header]) + bytes(escaped)


def h264_parameter_set(
    width: int, height: int, references: int = 1, *, shown: tuple[int, int] | None = None
) -> bytes:
    """A sequence parameter set, baseline; ``shown`` is the size that is left after cropping."""
    writer = BitWriter().unsigned(66, 8).unsigned(0, 8).unsigned(52, 8)
    writer.golomb(0, 0, 2, references).unsigned(0, 1)
    writer.golomb(width // 16 - 1, height // 16 - 1).unsigned(0b11, 2)
    if shown is None:
        writer.unsigned(0, 1)
    else:
        writer.unsigned(1, 1).golomb(0, (width - shown[0]) // 2, 0, (height - shown[1]) // 2)
    return writer.unsigned(0, 1).unit(0x67)


def h264_stream(
    width: int,
    height: int,
    references: int = 1,
    *,
    shown: tuple[int, int] | None = None,
    count: int = 20,
) -> Iterator[bytes]:
    """``count`` pictures, about 32 bytes the first and 12 each that follows: nothing moves."""
    picture_set = BitWriter().golomb(0, 0).unsigned(0, 2).golomb(0, 0, 0).unsigned(0, 3)
    picture_set.golomb(0, 0, 0).unsigned(0, 3)
    # The first macroblock of an IDR slice; the decoder conceals the rest.
    first = BitWriter().golomb(0, 7, 0).unsigned(0, 4).golomb(0).unsigned(0, 2).golomb(0, 1, 0, 0)
    header = h264_parameter_set(width, height, references, shown=shown) + picture_set.unit(0x68)
    yield header + first.unit(0x65)
    for number in range(1, count):
        # A P slice all of whose macroblocks are skipped.
        slice_ = BitWriter().golomb(0, 5, 0).unsigned(number % 16, 4).unsigned(0, 3).golomb(0)
        yield slice_.golomb(width // 16 * (height // 16)).unit(0x41)


def vp8_key_frame(width: int, height: int) -> bytes:
    """The header of a VP8 key frame (RFC 6386, 9.1) and too little after it."""
    return (
        b"\x10\x02\x00\x9d\x01\x2a"
        + width.to_bytes(2, "little")
        + height.to_bytes(2, "little")
        + bytes(20)
    )
