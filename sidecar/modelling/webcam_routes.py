"""The teaching page and what it calls: frames, the lesson, its figures."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from config.errors import HttpRefusalError, InputError, PictureError
from reactions.training.taught_card import figure_rows, shown_share
from sidecar.modelling.teach import TaughtBundle, TeachOptions
from sidecar.modelling.webcam_frames import MAX_FRAME, WebcamFrame
from sidecar.modelling.webcam_lesson import WebcamLesson
from sidecar.server.app import create_app
from sidecar.server.page_access import PageAccess
from sidecar.server.pages import WEB, page_file

FILES: Final = (
    "camera.js",
    "icon.svg",
    "style.css",
    "operator/api.js",
    "operator/element.js",
    "operator/operator.css",
    "teaching/frame_list.js",
    "teaching/recorder.js",
    "teaching/teaching.css",
    "teaching/teaching.js",
)
"""All that the page consists of, below ``sidecar/web``."""
SECONDS: Final = 10.0
"""Of one recording."""
EVERY: Final = 0.2
"""Seconds between two frames."""
WAIT: Final = 20.0
"""Seconds after which a page that waits for news is answered that there is none."""


class FrameView(BaseModel):
    """One frame as the page gets it: each outline is a list of places in shares of its sides."""

    number: int
    shows: bool
    found: bool
    outlines: tuple[tuple[tuple[float, float], ...], ...]


class FigureRow(BaseModel):
    """One label before and after, as text."""

    label: str
    before: str
    after: str
    fires: str


class TaughtView(BaseModel):
    """What was taught, and what is known of it."""

    bundle: str
    threshold: float
    figures: tuple[FigureRow, ...]
    other_pictures: str
    other_hands: str
    outranks: tuple[str, ...]


class LessonView(BaseModel):
    """The lesson; ``version`` asks for the state after this one."""

    version: int
    label: str
    title: str
    how: str
    view: str
    seconds: float
    every: float
    phase: str
    share: float
    what: str
    error: str
    taught: TaughtView | None
    frames: tuple[FrameView, ...]


@dataclass(frozen=True, slots=True)
class WebcamRoutes:
    """The routes of the page of ``lesson``, which teaches the label of ``options``."""

    lesson: WebcamLesson
    options: TeachOptions
    seconds: float = SECONDS

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        frame = "/teaching/frames/{number:[0-9]{1,9}}"
        return [
            web.get("/", _page),
            *(web.get(f"/static/{name}", _static) for name in FILES),
            web.get("/teaching/lesson", self.state),
            web.post("/teaching/frames", self.add),
            web.delete("/teaching/frames", self.clear),
            web.get(frame, self.frame),
            web.delete(frame, self.remove),
            web.post("/teaching/teach", self.teach),
            web.post("/teaching/accept", self.accept),
            web.post("/teaching/discard", self.discard),
        ]

    async def state(self, request: web.Request) -> web.Response:
        """How far the lesson is; with ``after``, once that has changed."""
        after = request.query.get("after")
        changed = self.lesson.changed
        if after is not None and after == str(changed.version):
            try:
                async with asyncio.timeout(WAIT):
                    await changed.wait(changed.version)
            except TimeoutError:
                pass
        return self._answer()

    async def add(self, request: web.Request) -> web.Response:
        """Take a frame, and say what is found in it."""
        _require_type(request, "image/jpeg")
        try:
            frame = await self.lesson.add(_shows(request), await request.read())
        except PictureError as error:
            raise InputError(error.what, status=422, where=error.where, do=error.do) from error
        return _json(_frame(frame))

    async def clear(self, request: web.Request) -> web.Response:
        """Forget one part of the recording."""
        self.lesson.clear(_shows(request))
        return self._answer()

    async def frame(self, request: web.Request) -> web.Response:
        """One frame as it was taken."""
        jpeg = self.lesson.frames.get(int(request.match_info["number"])).jpeg
        headers = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}
        return web.Response(body=jpeg, content_type="image/jpeg", headers=headers)

    async def remove(self, request: web.Request) -> web.Response:
        """Forget one frame."""
        self.lesson.remove(int(request.match_info["number"]))
        return self._answer()

    async def teach(self, request: web.Request) -> web.Response:
        """Begin to learn from the frames."""
        _require_type(request, "application/json")
        self.lesson.teach()
        return self._answer()

    async def accept(self, request: web.Request) -> web.Response:
        """Use what was taught."""
        _require_type(request, "application/json")
        await self.lesson.accept()
        return self._answer()

    async def discard(self, request: web.Request) -> web.Response:
        """Delete what was taught."""
        _require_type(request, "application/json")
        await self.lesson.discard()
        return self._answer()

    def _answer(self) -> web.Response:
        options, state, frames = self.options, self.lesson.state, self.lesson.frames
        view = LessonView(
            version=self.lesson.changed.version,
            label=options.label,
            title=options.shown_title,
            how=options.how,
            view=options.view.value,
            seconds=self.seconds,
            every=EVERY,
            phase=state.phase.value,
            share=round(state.share, 3),
            what=state.what,
            error=state.error,
            taught=None if state.taught is None else _taught(state.taught),
            frames=tuple(map(_frame, (*frames.of(True), *frames.of(False)))),
        )
        return _json(view)


def teaching_app(routes: WebcamRoutes, access: PageAccess) -> web.Application:
    """The application of ``routes`` for browsers that ``access`` admits."""
    app = create_app(routes.routes(), host="127.0.0.1", max_body=MAX_FRAME)
    app.middlewares.append(access.middleware())
    return app


async def _page(request: web.Request) -> web.FileResponse:
    return page_file(WEB / "teaching" / "index.html")


async def _static(request: web.Request) -> web.FileResponse:
    # The routes are fixed: the path is one of ``FILES``.
    return page_file(WEB / request.path.removeprefix("/static/"))


def _require_type(request: web.Request, wanted: str) -> None:
    """What another site's form can send is neither JSON nor a JPEG."""
    if request.content_type != wanted:
        raise HttpRefusalError(f"is no {wanted}", status=415, do=f"send {wanted}")


def _shows(request: web.Request) -> bool:
    parts = {"shown": True, "other": False}
    part = request.query.get("part", "")
    if part not in parts:
        raise InputError("is no part", status=422, where="part", do="send shown or other")
    return parts[part]


def _frame(frame: WebcamFrame) -> FrameView:
    outlines: Sequence[tuple[tuple[float, float], ...]] = [
        tuple((round(x, 4), round(y, 4)) for x, y in outline) for outline in frame.outlines
    ]
    found = bool(frame.examples)
    return FrameView(number=frame.number, shows=frame.shows, found=found, outlines=tuple(outlines))


def _taught(taught: TaughtBundle) -> TaughtView:
    label, figures = taught.label, taught.result.figures
    rows = figure_rows(label.name, figures)
    return TaughtView(
        bundle=taught.bundle.name,
        threshold=label.threshold,
        figures=tuple(
            FigureRow(label=name, before=before, after=after, fires=fires)
            for name, before, after, fires in rows
        ),
        other_pictures=shown_share(figures.other_pictures),
        other_hands=shown_share(figures.other_hands),
        outranks=label.outranks,
    )


def _json(answer: BaseModel) -> web.Response:
    return web.Response(
        text=answer.model_dump_json(),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
