"""Teach a label before the webcam, on a page of this machine: ``sidecar model teach --webcam``."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from reactions.bundle import ModelBundle
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.training.bundle_maker import free_name
from sidecar.modelling.teach import (
    Examples,
    Move,
    TaughtBundle,
    TeachOptions,
    check_teachable,
    teach_bundle,
)
from sidecar.modelling.webcam_lesson import LessonPhase, WebcamLesson
from sidecar.modelling.webcam_routes import SECONDS, WebcamRoutes, teaching_app
from sidecar.server.listener import HttpListener
from sidecar.server.page_access import PageAccess
from sidecar.supervisor.model_store import BundleStore

LOOPBACK: Final = "127.0.0.1"
COMMAND: Final = "sidecar model teach"


@dataclass(frozen=True, slots=True)
class BundleTeacher:
    """Implements ``Teacher``: new bundles beside the one in use, which they are made from.

    ``more`` are examples of files, learnt from beside the frames.
    """

    options: TeachOptions
    bundles: BundleStore
    base: ModelBundle
    classifier: HandShapeClassifier
    more: Examples
    again: bool = False

    def teach(self, examples: Examples, move: Move) -> TaughtBundle:
        """Raises SidecarError where the examples are too few."""
        check_teachable(self.options, self.base, again=self.again)
        folder = self.bundles.folder / free_name(self.bundles.folder, "taught")
        together = _joined(examples, self.more)
        return teach_bundle(self.options, together, self.base, self.classifier, folder, move)

    def use(self, taught: TaughtBundle) -> None:
        """Raises SidecarError."""
        self.bundles.keep(self.bundles.get(taught.bundle.name).name)


def _joined(examples: Examples, more: Examples) -> Examples:
    """Both, the pictures of ``more`` numbered after those of ``examples``."""
    first = examples.pictures
    shown, other = (
        [replace(one, picture=one.picture + first) for one in part]
        for part in (more.shown, more.other)
    )
    return Examples(
        [*examples.shown, *shown], [*examples.other, *other], pictures=first + more.pictures
    )


@asynccontextmanager
async def teaching_page(
    lesson: WebcamLesson, options: TeachOptions, *, port: int = 0, seconds: float = SECONDS
) -> AsyncIterator[Callable[[], str]]:
    """Serve the page of ``lesson``; a call gives an address of it, which opens one browser.

    A recording takes ``seconds``. Raises ServerError where ``port`` is taken.
    """
    access = PageAccess(COMMAND)
    app = teaching_app(WebcamRoutes(lesson, options, seconds), access)
    async with HttpListener(app, LOOPBACK, port) as listener:
        yield lambda: listener.url(f"/?code={access.new_code()}")


async def teach_at_webcam(
    lesson: WebcamLesson,
    options: TeachOptions,
    *,
    port: int,
    browser: bool,
    say: Callable[[str], None] = print,
) -> TaughtBundle | None:
    """Serve the page until what was taught is accepted; None where that never happens because the
    task is cancelled. ``say`` gets the page's address."""
    async with lesson, teaching_page(lesson, options, port=port) as new_address:
        say(f"Teach {options.label} at {new_address()} (Ctrl-C ends it; no frame is kept)")
        if browser:
            # Finding and starting a browser may take seconds.
            await asyncio.to_thread(webbrowser.open, new_address())
        await lesson.changed.wait_for(lambda: lesson.state.phase is LessonPhase.ACCEPTED)
    return lesson.state.taught
