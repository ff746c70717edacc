"""The labelling page and what it calls: pictures, labels, proposals."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import HttpRefusalError, InputError, PictureError
from reactions.datasets.opinions import Doubt, ProposedBox
from reactions.datasets.records import (
    MAX_BOXES,
    MAX_LABELS,
    LabelledBox,
    Name,
    PictureRecord,
    Split,
)
from sidecar.datasets.label_editor import EditedPicture, LabelEditor
from sidecar.server.app import create_app
from sidecar.server.page_access import PageAccess
from sidecar.server.pages import WEB, page_file

FILES: Final = (
    "icon.svg",
    "style.css",
    "operator/api.js",
    "operator/element.js",
    "operator/operator.css",
    "labelling/box_panel.js",
    "labelling/edits.js",
    "labelling/geometry.js",
    "labelling/label_store.js",
    "labelling/labelling.css",
    "labelling/labelling.js",
    "labelling/picture_list.js",
    "labelling/picture_view.js",
)
"""All that the page consists of, below ``sidecar/web``."""
MAX_BODY: Final = 4 << 20
"""Bytes of the labels of one picture."""
WAIT: Final = 20.0
"""Seconds after which a page that waits for news is answered that there is none."""
_SHOWN: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
}
"""Kinds of files that all browsers show as they are; others are sent as JPEG."""
_KEPT: Final = {
    "Cache-Control": "private, max-age=3600, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""For pictures, whose names are their content."""


class LabelEdit(BaseModel):
    """The labels of one picture as the page sends them; ``revision`` is what they replace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: Annotated[int, Field(ge=0)]
    boxes: Annotated[tuple[LabelledBox, ...], Field(max_length=MAX_BOXES)]
    labels: Annotated[tuple[Name, ...], Field(max_length=MAX_LABELS)] = ()


class PictureLabels(BaseModel):
    """A picture as the page gets it. ``looked_at`` is false while there is no opinion yet."""

    file: str
    name: str
    width: int
    height: int
    split: Split
    revision: int
    boxes: tuple[LabelledBox, ...]
    labels: tuple[str, ...]
    looked_at: bool
    doubts: tuple[Doubt, ...]


class PictureDetail(PictureLabels):
    """The same with what the recogniser proposes."""

    proposed: tuple[ProposedBox, ...]


class PictureListing(BaseModel):
    """The data set. ``labels`` are those in use first, then others to choose from."""

    name: str
    labels: tuple[str, ...]
    looks: bool
    pictures: tuple[PictureLabels, ...]


class OpinionNews(BaseModel):
    """The pictures that were looked at; ``next`` asks for later ones, unless ``done``."""

    next: int
    done: bool
    pictures: tuple[PictureLabels, ...]


@dataclass(frozen=True, slots=True)
class LabelRoutes:
    """The routes of the page of ``editor``. ``labels`` are offered besides those in use."""

    editor: LabelEditor
    labels: Sequence[str] = ()

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        file = "{file:[0-9a-f]{64}\\.[a-z0-9]{1,5}}"
        return [
            web.get("/", _page),
            *(web.get(f"/static/{name}", _static) for name in FILES),
            web.get("/labelling/pictures", self.listing),
            web.get(f"/labelling/pictures/{file}", self.picture),
            web.put(f"/labelling/pictures/{file}", self.save),
            web.get("/labelling/opinions", self.opinions),
            web.get(f"/labelling/thumbnails/{file}", self.thumbnail),
            web.get(f"/labelling/views/{file}", self.view),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        """All pictures with their labels."""
        pictures = self.editor.pictures()
        used = sorted({label for one in pictures for label in one.record.shown})
        others = [label for label in self.labels if label not in used]
        answer = PictureListing(
            name=self.editor.name,
            labels=(*used, *others),
            looks=self.editor.looks,
            pictures=tuple(map(_labels, pictures)),
        )
        return _json(answer)

    async def picture(self, request: web.Request) -> web.Response:
        """One picture with what the recogniser proposes, if it has looked at it."""
        return _json(_detail(self.editor.picture(request.match_info["file"])))

    async def save(self, request: web.Request) -> web.Response:
        """Replace the labels of one picture."""
        record = self.editor.picture(request.match_info["file"]).record
        edit = await _read_edit(request, record)
        saved = await self.editor.save(record.file, edit.boxes, edit.labels, edit.revision)
        return _json(_detail(saved))

    async def opinions(self, request: web.Request) -> web.Response:
        """The pictures looked at since ``after``; waits until there are some."""
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise InputError("is no number", status=422, where="after", do="send next of the last")
        version = self.editor.changed.version
        count, found = self.editor.looked_at(int(after))
        if not found and not self.editor.done:
            try:
                async with asyncio.timeout(WAIT):
                    await self.editor.changed.wait(version)
            except TimeoutError:
                pass
            count, found = self.editor.looked_at(int(after))
        return _json(
            OpinionNews(next=count, done=self.editor.done, pictures=tuple(map(_labels, found)))
        )

    async def thumbnail(self, request: web.Request) -> web.Response:
        """A small JPEG."""
        return await _as_jpeg(self.editor.thumbnail(request.match_info["file"]))

    async def view(self, request: web.Request) -> web.StreamResponse:
        """The picture itself, or a JPEG of it where browsers don't show its kind."""
        file = request.match_info["file"]
        kind = _SHOWN.get(Path(file).suffix)
        if kind is not None:
            path = self.editor.path(file)
            return web.FileResponse(path, headers={**_KEPT, "Content-Type": kind})
        return await _as_jpeg(self.editor.view(file))


def labelling_app(routes: LabelRoutes, access: PageAccess) -> web.Application:
    """The application of ``routes`` for browsers that ``access`` admits."""
    app = create_app(routes.routes(), host="127.0.0.1", max_body=MAX_BODY)
    app.middlewares.append(access.middleware())
    return app


async def _page(request: web.Request) -> web.FileResponse:
    return page_file(WEB / "labelling" / "index.html")


async def _static(request: web.Request) -> web.FileResponse:
    # The routes are fixed: the path is one of ``FILES``.
    return page_file(WEB / request.path.removeprefix("/static/"))


async def _as_jpeg(making: Awaitable[bytes]) -> web.Response:
    try:
        data = await making
    except PictureError as error:
        raise InputError(error.what, status=422, where=error.where, do=error.do) from error
    return web.Response(body=data, content_type="image/jpeg", headers=_KEPT)


async def _read_edit(request: web.Request, record: PictureRecord) -> LabelEdit:
    if request.content_type != "application/json":
        # What another site's form can send is never JSON.
        raise HttpRefusalError("is no JSON", status=415, do="send application/json")
    try:
        edit = LabelEdit.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(first["msg"], status=422, where=where, do="correct it") from None
    for index, box in enumerate(edit.boxes):
        _check_box(box, f"boxes.{index}", record)
    for label in (*edit.labels, *(box.label for box in edit.boxes)):
        if not label.isprintable() or label != label.strip():
            raise InputError("is no name", status=422, where=label[:80], do="use letters")
    return edit


def _check_box(box: LabelledBox, where: str, record: PictureRecord) -> None:
    inside = box.right <= record.width + 0.5 and box.bottom <= record.height + 0.5
    if not inside or box.width <= 0 or box.height <= 0:
        what = "is empty or outside the picture"
        raise InputError(what, status=422, where=where, do="draw it inside")


def _labels(picture: EditedPicture) -> PictureLabels:
    record = picture.record
    return PictureLabels(
        file=record.file,
        name=record.name,
        width=record.width,
        height=record.height,
        split=record.split,
        revision=picture.revision,
        boxes=record.boxes,
        labels=record.labels,
        looked_at=picture.opinion is not None,
        doubts=picture.doubts,
    )


def _detail(picture: EditedPicture) -> PictureDetail:
    proposed = () if picture.opinion is None else picture.opinion.proposed
    return PictureDetail(**dict(_labels(picture)), proposed=proposed)


def _json(answer: BaseModel) -> web.Response:
    return web.Response(
        text=answer.model_dump_json(),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
