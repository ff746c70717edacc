"""From settings to parts."""

from pathlib import Path

import pytest
from PIL import Image
from structlog.testing import capture_logs

from config.errors import StickerError
from config.reaction_rule import Kind, ReactionRule
from config.settings import Settings
from sidecar.session.factories import make_stickers


def rule(sticker: str) -> ReactionRule:
    return ReactionRule(kind=Kind.STICKER, sticker=sticker)


def test_a_broken_sticker_is_named_and_the_others_load(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), (255, 0, 0)).save(tmp_path / "whole.gif")
    (tmp_path / "broken.gif").write_bytes((tmp_path / "whole.gif").read_bytes()[:-12])
    table = {
        "fist": rule("broken.gif"),
        "rock": rule("whole.gif"),
        "wave": rule("wave"),
    }
    settings = Settings(stickers={"folders": (tmp_path,)})

    with capture_logs() as logged:
        stickers = make_stickers(table, settings)

    assert [entry["event"] for entry in logged] == ["sticker refused"]
    assert "broken.gif" in logged[0]["reason"]
    assert stickers.get("whole.gif", 20, 20).frames
    assert stickers.get("wave", 48, 48).frames
    with pytest.raises(StickerError, match=r"broken\.gif"):
        stickers.get("broken.gif", 20, 20)
