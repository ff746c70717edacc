"""Pictures by their first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.picture_kinds import picture_kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"GIF89a", "GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WEBP"),
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1", "HEIF"),
        (b"\0\0\0\x20ftypavis\0\0\0\0avifmsf1", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0avifmp41", None),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", None),
        (b"RIFF\0\0\0\0AVI LIST", None),
        (b"P6\n40 30", "PPM"),
        (b"PK\x03\x04", None),
        (b"%!PS-Adobe", None),
        (b"", None),
    ],
)
def test_the_content_says_what_it_is(head: bytes, kind: str | None) -> None:
    assert picture_kind(head) == kind


KINDS = {"AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP"}
BRANDED = st.binary(max_size=56).map(lambda tail: b"\0\0\0\x20ftyp" + tail)


@given(st.one_of(st.binary(max_size=64), BRANDED))
def test_any_bytes_have_an_answer(head: bytes) -> None:
    assert picture_kind(head) in {None, *KINDS}
