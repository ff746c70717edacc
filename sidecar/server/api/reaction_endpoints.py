"""The endpoints of stickers and reaction tables, of the server and of each room."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from config.errors import InputError
from gifs.catalogue import EFFECTS, STICKERS
from reactions.labels import LABELS, LabelSpec
from sidecar.server.api.endpoints import Endpoint, Exchange
from sidecar.server.api.tokens import Scope
from sidecar.server.pages import pose_path
from sidecar.supervisor.reaction_store import ReactionStore, TableChange
from sidecar.supervisor.scored_labels import ScoredLabels
from sidecar.supervisor.server_values import (
    LabelView,
    ReactionRows,
    ReactionTableView,
    StickerList,
    StickerView,
)
from sidecar.supervisor.sticker_folder import LIMITS
from sidecar.supervisor.supervisor import Supervisor

FILES: Final = ("image/gif", "image/webp", "image/png", "image/apng", "application/octet-stream")
KINDS: Final = {"GIF": "image/gif", "WEBP": "image/webp", "PNG": "image/png"}


@dataclass(slots=True)
class ReactionEndpoints:
    """Stickers and reaction tables of ``store``; running rooms get each change."""

    supervisor: Supervisor
    store: ReactionStore
    scored: ScoredLabels
    """Gets to score what a row turns on."""
    changed: Callable[[], None] = lambda: None
    """Called once the server's table is another."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One change at a time."""

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        of_server, of_room = ("/v1", ""), ("/v1/rooms/{room}", "Room")
        return (
            Endpoint(
                "GET", "/v1/labels", "listLabels", "List the labels by groups", Scope.ROOMS,
                self.labels, answer=list[LabelView], tag="reactions",
            ),
            *self._stickers(*of_server),
            *self._tables(*of_server),
            *self._stickers(*of_room),
            *self._tables(*of_room),
        )  # fmt: skip

    def _stickers(self, base: str, suffix: str) -> Sequence[Endpoint]:
        of = "of a room" if suffix else "of the server"
        missing, stickers = ((404,) if suffix else ()), f"{base}/stickers"
        return (
            Endpoint(
                "GET", stickers, f"list{suffix}Stickers", f"List the stickers {of}", Scope.ROOMS,
                self.list, answer=StickerList, errors=missing, tag="reactions",
            ),
            Endpoint(
                "GET", stickers + "/{sticker}", f"get{suffix}Sticker", "A sticker's file",
                Scope.ROOMS, self.get, content_type=", ".join(KINDS.values()), errors=(404,),
                tag="reactions",
            ),
            Endpoint(
                "PUT", stickers + "/{sticker}", f"put{suffix}Sticker",
                f"Upload a sticker {of}, in place of one of that name", Scope.ADMIN, self.put,
                answer=StickerView, takes=FILES, errors=(400, 404, 409, 413, 415, 422, 507),
                tag="reactions",
            ),
            Endpoint(
                "DELETE", stickers + "/{sticker}", f"delete{suffix}Sticker",
                f"Delete an uploaded sticker {of}", Scope.ADMIN, self.delete, status=204,
                errors=(404, 409), tag="reactions",
            ),
        )  # fmt: skip

    def _tables(self, base: str, suffix: str) -> Sequence[Endpoint]:
        of = "of a room" if suffix else "of the server"
        missing, reactions = ((404,) if suffix else ()), f"{base}/reaction-table"
        wrong = (400, *missing, 409, 503, 507)
        return (
            Endpoint(
                "GET", reactions, f"get{suffix}ReactionTable", f"The reaction table {of}",
                Scope.ROOMS, self.table, answer=ReactionTableView, errors=missing, tag="reactions",
            ),
            Endpoint(
                "PUT", reactions, f"put{suffix}ReactionTable",
                f"Replace all that is changed of the reaction table {of}", Scope.ADMIN,
                self.replace, body=ReactionRows, answer=ReactionTableView, errors=wrong,
                tag="reactions",
            ),
            Endpoint(
                "PATCH", reactions, f"patch{suffix}ReactionTable",
                f"Change rows of the reaction table {of}", Scope.ADMIN, self.change,
                body=ReactionRows, answer=ReactionTableView, errors=wrong, tag="reactions",
            ),
        )  # fmt: skip

    async def labels(self, exchange: Exchange) -> Sequence[LabelView]:
        return await asyncio.to_thread(lambda: [self._label(spec) for spec in self.store.specs])

    async def list(self, exchange: Exchange) -> StickerList:
        folder = self.store.stickers(self._room(exchange))
        uploaded = await asyncio.to_thread(folder.list)
        return StickerList(
            own=(*STICKERS, *EFFECTS), effects=tuple(EFFECTS), uploaded=tuple(uploaded)
        )

    async def get(self, exchange: Exchange) -> web.Response:
        room, name = self._room(exchange), exchange.request.match_info["sticker"]
        data, found = await asyncio.to_thread(self.store.picture, name, room)
        headers = {"Cache-Control": "no-cache"}
        return web.Response(body=data, content_type=KINDS[found.kind], headers=headers)

    def _label(self, spec: LabelSpec) -> LabelView:
        return LabelView(
            label=spec.name,
            title=spec.title,
            how=spec.how,
            group=spec.group.heading,
            pose=pose_path(spec.name),
            scored=spec.name in self.scored.labels or spec.name not in LABELS,
        )

    async def put(self, exchange: Exchange) -> StickerView:
        room = self._room(exchange)
        data = await _body(exchange.request)
        name = exchange.request.match_info["sticker"]
        async with self._lock:
            added = await asyncio.to_thread(self.store.stickers(room).add, name, data)
        await self._apply(room)
        return added

    async def delete(self, exchange: Exchange) -> None:
        room, name = self._room(exchange), exchange.request.match_info["sticker"]
        async with self._lock:
            await asyncio.to_thread(self.store.remove_sticker, name, room)
        await self._apply(room)

    async def table(self, exchange: Exchange) -> ReactionTableView:
        return await asyncio.to_thread(self.store.view, self._room(exchange))

    async def replace(self, exchange: Exchange) -> ReactionTableView:
        return await self._keep(self.store.replaced, exchange)

    async def change(self, exchange: Exchange) -> ReactionTableView:
        return await self._keep(self.store.changed, exchange)

    async def _keep(
        self,
        check: Callable[[ReactionRows, str | None], TableChange],
        exchange: Exchange,
    ) -> ReactionTableView:
        room = self._room(exchange)
        async with self._lock:
            change = await asyncio.to_thread(check, exchange.body, room)
            await self.scored.require(change.labels)
            view = await asyncio.to_thread(self.store.keep, change)
        await self._apply(room)
        return view

    async def _apply(self, room: str | None) -> None:
        if room is None:
            self.changed()
        await self.supervisor.change_tables(room)

    def _room(self, exchange: Exchange) -> str | None:
        """The room that the path names; raises NotFoundError for one that is not there."""
        room = exchange.request.match_info.get("room")
        return None if room is None else self.supervisor.room(room).id


async def _body(request: web.Request) -> bytes:
    """A file as body; raises InputError 413 and 415."""
    if request.content_type not in FILES:
        what = f"a body of {request.content_type or 'no type'} is no sticker"
        raise InputError(what, status=415, do=f"send {', '.join(FILES)}")
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > LIMITS.file_bytes:
            what = f"the file exceeds {LIMITS.file_bytes} bytes"
            raise InputError(what, status=413, do="make it smaller")
    return bytes(data)
