import pytest

from sidecar.media.compositor import fonts
from sidecar.media.compositor.fonts import lettering


@pytest.fixture
def _no_system_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "SYSTEM", ())
    lettering.cache_clear()


def test_plain_names_are_written_as_they_are() -> None:
    text, font = lettering("Ada Lovelace", 16)
    assert text == "Ada Lovelace"
    assert font.getname()[0] == "Aileron"


@pytest.mark.usefixtures("_no_system_fonts")
def test_accents_go_where_no_font_has_them() -> None:
    assert lettering("Zoë Nguyễn", 17)[0] == "Zoe Nguyen"


@pytest.mark.usefixtures("_no_system_fonts")
def test_characters_without_a_shape_are_left_out() -> None:
    assert lettering("Kim 🎉 李", 18)[0] == "Kim"
    assert lettering("李小龍", 18)[0] == ""
