import io
from pathlib import Path

import pytest
from PIL import Image

from config.errors import ConfigError, InputError, NotFoundError, RefusedError
from sidecar.supervisor.sticker_folder import LIMITS, StickerFolder


def picture(kind: str, size: tuple[int, int] = (20, 10), frames: int = 3) -> bytes:
    buffer = io.BytesIO()
    images = [Image.new("RGBA", size, (40 * n, 200, 10, 255)) for n in range(frames)]
    images[0].save(buffer, kind, save_all=True, append_images=images[1:], duration=100)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> StickerFolder:
    return StickerFolder(tmp_path / "stickers")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_what_a_sticker_is_follows_from_its_content(folder: StickerFolder, kind: str) -> None:
    data = picture(kind)
    added = folder.add("party.gif", data)
    assert (added.kind, added.width, added.height, added.frames) == (kind, 20, 10, 3)
    assert added.bytes == len(data)
    assert list(folder.list()) == [added]
    assert folder.read("party.gif") == data


@pytest.mark.parametrize("name", ["../a.gif", "a/b.gif", ".gif", "a.exe", "a", "x" * 80 + ".gif"])
def test_names_that_could_lead_elsewhere_are_refused(folder: StickerFolder, name: str) -> None:
    with pytest.raises(ConfigError):
        folder.add(name, picture("GIF"))


def test_what_is_no_picture_or_too_large_is_refused_and_not_kept(folder: StickerFolder) -> None:
    with pytest.raises(InputError, match="not a GIF"):
        folder.add("a.gif", b"<svg/>")
    with pytest.raises(InputError, match=r"truncated|decoded"):
        folder.add("a.gif", picture("GIF")[:60])
    with pytest.raises(InputError, match="exceeds"):
        folder.add("a.gif", b"GIF89a" + bytes(LIMITS.file_bytes))
    with pytest.raises(InputError, match="pixels"):
        folder.add("a.gif", picture("GIF", (3000, 3000), 1))
    assert list(folder.list()) == []
    assert list(folder.path.iterdir()) == []


def test_links_are_neither_listed_nor_read_nor_written_through(
    folder: StickerFolder, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.gif"
    secret.write_bytes(picture("GIF"))
    folder.path.mkdir()
    (folder.path / "a.gif").symlink_to(secret)
    assert list(folder.list()) == []
    with pytest.raises(NotFoundError):
        folder.read("a.gif")
    with pytest.raises(RefusedError, match="link"):
        folder.add("a.gif", picture("WEBP"))
    assert secret.read_bytes() == picture("GIF")


def test_a_sticker_is_replaced_and_deleted(folder: StickerFolder) -> None:
    folder.add("a.gif", picture("GIF"))
    folder.add("a.gif", picture("WEBP"))
    assert [one.kind for one in folder.list()] == ["WEBP"]
    folder.remove("a.gif")
    with pytest.raises(NotFoundError):
        folder.remove("a.gif")
