"""The page, its files, and the legend of poses and stickers."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

from config.errors import StickerError
from config.reaction_rule import Kind, ReactionRule
from gifs.catalogue import find_sticker
from reactions.labels import LabelSpec, by_groups
from sidecar.server.room_directory import RoomDirectory

WEB: Final = Path(str(files("sidecar") / "web"))
_FILE: Final = re.compile(r"[a-z_]+\.(?:js|css|svg|html)|poses/[a-z_]+\.webp")
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""Not left to the machine's own list: some lack WebP, and some call scripts plain text."""


class Pages:
    """The routes of the page, its files and the legend.

    ``folders`` are the user's sticker folders.
    """

    def __init__(
        self, rooms: RoomDirectory, table: Mapping[str, ReactionRule], folders: Sequence[Path] = ()
    ) -> None:
        self._rooms = rooms
        self.use(table, folders)

    def use(
        self,
        table: Mapping[str, ReactionRule],
        folders: Sequence[Path] = (),
        specs: Sequence[LabelSpec] | None = None,
    ) -> None:
        """Show this table from now on; pages that are open show it when they are loaded again.

        ``specs`` are its labels, by default the vocabulary.
        """
        self._folders = folders
        self._stickers = {
            label: rule for label, rule in table.items() if _sticker_file(rule, folders) is not None
        }
        labels = by_groups() if specs is None else specs
        shown = (spec for spec in labels if not spec.moderated)
        self._legend = [self._entry(spec, table[spec.name]) for spec in shown]

    def routes(self) -> list[web.RouteDef]:
        """All of them, with a home page that leads to the first room."""
        return [web.get("/", self.home), *self.room_routes()]

    def room_routes(self) -> list[web.RouteDef]:
        """The page of each room, and what belongs to it."""
        return [
            web.get("/rooms/{room}", self.page),
            web.get("/legend.json", self.legend),
            web.get("/stickers/{label}", self.sticker),
            web.get("/static/{file:.+}", self.file),
        ]

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Redirect to the first room."""
        raise web.HTTPFound(f"/rooms/{self._rooms.first}")

    async def page(self, request: web.Request) -> web.FileResponse:
        """The page of a room that there is, or may be."""
        self._rooms.check(request.match_info["room"])
        return page_file(WEB / "index.html")

    async def legend(self, request: web.Request) -> web.Response:
        """The labels by groups, but for moderated ones: how to pose, and what each does."""
        return web.json_response(self._legend, headers={"Cache-Control": "no-cache"})

    async def sticker(self, request: web.Request) -> web.FileResponse:
        """The animation that a label plays."""
        rule = self._stickers.get(request.match_info["label"])
        if rule is None:
            raise web.HTTPNotFound(reason="this label has no sticker")
        # Found again each time: the file may be a link by now.
        path = await asyncio.to_thread(_sticker_file, rule, self._folders)
        if path is None:
            raise web.HTTPNotFound(reason="this label has no sticker")
        return page_file(path)

    async def file(self, request: web.Request) -> web.FileResponse:
        """One of the page's own files."""
        name = request.match_info["file"]
        path = WEB / name
        if not _FILE.fullmatch(name) or not path.is_file():
            raise web.HTTPNotFound(reason="no such file")
        return page_file(path)

    def _entry(self, spec: LabelSpec, rule: ReactionRule) -> dict[str, object]:
        label = spec.name
        return {
            "label": label,
            "title": spec.title,
            "how": spec.how,
            "group": spec.group.heading,
            "kind": rule.kind.value,
            "threshold": rule.threshold,
            "hold": rule.hold,
            "sticker": f"/stickers/{label}" if label in self._stickers else None,
            "pose": pose_path(label),
        }


def pose_path(label: str) -> str | None:
    """The path under which ``Pages`` serves a label's picture of how to pose."""
    name = f"poses/{label}.webp"
    return f"/static/{name}" if (WEB / name).is_file() else None


def page_file(path: Path) -> web.FileResponse:
    # Revalidated each time, and answered 304: a restarted server may bring a new page.
    headers = {"Cache-Control": "no-cache"}
    if (content_type := _TYPES.get(path.suffix.lower())) is not None:
        headers["Content-Type"] = content_type
    return web.FileResponse(path, headers=headers)


def _sticker_file(rule: ReactionRule, folders: Sequence[Path]) -> Path | None:
    """The file that a label's sticker plays from; None where it plays none."""
    if rule.kind is not Kind.STICKER or rule.sticker is None:
        return None
    try:
        return find_sticker(rule.sticker, folders)
    except StickerError:
        # The log names it at the start (``make_stickers``); the label goes without.
        return None
