"""Label a data set on a page of this machine: the core of ``sidecar dataset label``."""

import asyncio
import secrets
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from reactions.datasets.parsing import missing_extra
from reactions.datasets.store import changing_dataset
from sidecar.datasets.judge import RecogniserJudge
from sidecar.datasets.label_editor import LabelEditor
from sidecar.datasets.label_routes import LabelRoutes, labelling_app
from sidecar.server.listener import HttpListener

LOOPBACK: Final = "127.0.0.1"


@asynccontextmanager
async def labelling_page(
    folder: Path,
    judge: RecogniserJudge | None = None,
    *,
    labels: Sequence[str] = (),
    port: int = 0,
) -> AsyncIterator[str]:
    """The address of the labelling page of the data set in ``folder``, with its token.

    ``judge`` proposes boxes; ``labels`` are offered besides those in use. No other command changes
    the data set meanwhile. Raises DatasetError, and ServerError where ``port`` is taken.
    """
    try:
        import globox  # noqa: F401 (what is saved as VOC needs it)
    except ImportError as error:
        raise missing_extra(error) from error
    token = secrets.token_urlsafe(24)
    with changing_dataset(folder) as dataset:
        editor = LabelEditor(
            dataset,
            judge,
            model="" if judge is None else judge.model,
            judged=() if judge is None else judge.judged,
        )
        app = labelling_app(LabelRoutes(editor, labels), token)
        async with HttpListener(app, LOOPBACK, port, inner=editor) as listener:
            yield listener.url(f"/?token={token}")


async def label(
    folder: Path,
    judge: RecogniserJudge | None,
    *,
    labels: Sequence[str],
    port: int,
    browser: bool,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the page until the task is cancelled; ``say`` gets its address."""
    async with labelling_page(folder, judge, labels=labels, port=port) as address:
        say(f"Label {folder} at {address} (Ctrl-C ends it; each change is saved)")
        if browser:
            # Finding and starting a browser may take seconds.
            await asyncio.to_thread(webbrowser.open, address)
        await asyncio.Event().wait()
