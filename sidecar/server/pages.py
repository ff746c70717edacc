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
from sidecar.server.room_directory import PlayedTable, RoomDirectory

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
    """The routes of the page, its files and the legend of each room.

    ``table`` is that of rooms that have none of their own, ``folders`` are the user's sticker
    folders.
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

        ``specs`` are the labels of all tables, by default the vocabulary.
        """
        self._table = PlayedTable(table, folders)
        self._specs = tuple(by_groups()) if specs is None else tuple(specs)

    def routes(self) -> list[web.RouteDef]:
        """All of them, with a home page that leads to the first room."""
        return [web.get("/", self.home), *self.page_routes(), *self.legend_routes()]

    def page_routes(self) -> list[web.RouteDef]:
        """The page of each room, and its files."""
        return [
            web.get("/rooms/{room}", self.page),
            web.get("/static/{file:.+}", self.file),
        ]

    def legend_routes(self) -> list[web.RouteDef]:
        """What each room recognises and plays."""
        return [
            web.get("/rooms/{room}/legend.json", self.legend),
            web.get("/rooms/{room}/stickers/{label}", self.sticker),
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
        name = self._rooms.check(request.match_info["room"])
        played, base = self._played(name), f"/rooms/{name}"
        entries = await asyncio.to_thread(legend_of, self._specs, played, base)
        return web.json_response(entries, headers={"Cache-Control": "no-cache"})

    async def sticker(self, request: web.Request) -> web.FileResponse:
        """The animation that a label plays."""
        played = self._played(self._rooms.check(request.match_info["room"]))
        rule = played.rules.get(request.match_info["label"])
        # Found again each time: the file may be a link by now.
        found = asyncio.to_thread(_sticker_file, rule, played.folders) if rule else None
        path = None if found is None else await found
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

    def _played(self, name: str) -> PlayedTable:
        """The table of the room ``name``; the server's where it is not open."""
        own = self._rooms.find(name).played if self._rooms.is_open(name) else None
        return self._table if own is None else own()


def legend_of(
    specs: Sequence[LabelSpec], played: PlayedTable, base: str
) -> list[dict[str, object]]:
    """The labels of ``specs`` with what they do, for JSON; ``base`` is the path of their room."""
    shown = [one for one in specs if one.name in played.rules and not one.moderated]
    return [_entry(spec, played, base) for spec in shown]


def _entry(spec: LabelSpec, played: PlayedTable, base: str) -> dict[str, object]:
    label, rule = spec.name, played.rules[spec.name]
    shown = _sticker_file(rule, played.folders) is not None
    return {
        "label": label,
        "title": spec.title,
        "how": spec.how,
        "group": spec.group.heading,
        "kind": rule.kind.value,
        "threshold": rule.threshold,
        "hold": rule.hold,
        "sticker": f"{base}/stickers/{label}" if shown else None,
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
