"""What kind of picture a file holds, by its first bytes. Pure: names say nothing about content."""

from typing import Final

HEAD: Final = 64
"""Bytes of the beginning that are looked at."""

_MAGIC: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
)
_BRANDS: Final = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "HEIF"),
}
"""Brands of the ISO base media file format that are pictures (ISO/IEC 23008-12, AV1 image file
format); ``mif1`` and ``msf1`` alone leave open which."""


def picture_kind(head: bytes) -> str | None:
    """Pillow's name for the kind of picture that begins with ``head``; None: it is none.

    ``HEIF`` is the name that pillow-heif gives its own.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _branded(head)
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    return None


def _branded(head: bytes) -> str | None:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
    if brands[0] not in {*_BRANDS, b"mif1", b"msf1"}:
        return None
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), "HEIF")
