"""``sidecar model teach --webcam``: the page on which a label is taught before the camera."""

from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.cli.signals import run_until_stopped

if TYPE_CHECKING:
    from reactions.landmarks.model_store import ModelStore
    from sidecar.modelling.teach import Examples, TaughtBundle, TeachOptions
    from sidecar.supervisor.model_store import BundleStore


def teach_on_page(
    options: "TeachOptions",
    more: "Examples",
    store: "ModelStore",
    bundles: "BundleStore",
    *,
    again: bool,
    port: int,
    browser: bool,
) -> "TaughtBundle | None":
    """Serve the page until what it taught is accepted; None where the command was ended before.

    ``more`` are examples of files. Raises SidecarError.
    """
    from reactions.gestures.hand_classifier import HandShapeClassifier
    from sidecar.modelling.teach import ExampleReader, check_teachable, new_sticker
    from sidecar.modelling.webcam_lesson import WebcamLesson
    from sidecar.modelling.webcam_page import BundleTeacher, teach_at_webcam

    base = bundles.get(bundles.names().active)
    check_teachable(options, base, again=again)
    new_sticker(options)
    classifier = HandShapeClassifier(base.weights)
    teacher = BundleTeacher(options, bundles, base, classifier, more, again)
    lesson = WebcamLesson(lambda: ExampleReader(options.view, store, classifier), teacher)
    accepted = []

    async def live() -> None:
        accepted.append(await teach_at_webcam(lesson, options, port=port, browser=browser))

    run_until_stopped(live())
    return accepted[0] if accepted else None


def check_sources(source: Path | None, *, webcam: bool, yes: bool) -> None:
    """Raise ModelError unless exactly one source is named."""
    from config.errors import ModelError

    if (source is None) != webcam:
        what = "one source is needed" if source is None else "is another source"
        do = "give --from FOLDER or --webcam"
        raise ModelError(what, where="--webcam" if source else "model teach", do=do)
    if webcam and yes:
        raise ModelError("is asked on the page", where="--yes", do="leave it out with --webcam")
