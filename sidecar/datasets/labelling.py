"""Label a data set on a page of this machine: the core of ``sidecar dataset label``."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from reactions.datasets.parsing import missing_extra
from reactions.datasets.store import changing_dataset
from sidecar.datasets.judge import RecogniserJudge
from sidecar.datasets.label_editor import LabelEditor
from sidecar.datasets.label_routes import LabelRoutes, labelling_app
from sidecar.server.listener import HttpListener
from sidecar.server.page_access import PageAccess

LOOPBACK: Final = "127.0.0.1"


@asynccontextmanager
async def labelling_page(
    folder: Path,
    judge: RecogniserJudge | None = None,
    *,
    labels: Sequence[str] = (),
    port: int = 0,
) -> AsyncIterator[Callable[[], str]]:
    """Serve the labelling page of the data set in ``folder``; a call gives an address of it, which
    opens one browser.

    ``judge`` proposes boxes; ``labels`` are offered besides those in use. No other command changes
    the data set meanwhile. Raises DatasetError, and ServerError where ``port`` is taken.
    """
    try:
        import globox  # noqa: F401 (what is saved as VOC needs it)
    except ImportError as error:
        raise missing_extra(error) from error
    access = PageAccess()
    with changing_dataset(folder) as dataset:
        editor = LabelEditor(
            dataset,
            judge,
            model="" if judge is None else judge.model,
            judged=() if judge is None else judge.judged,
        )
        async with editor, labelling_server(editor, access, labels=labels, port=port) as listener:
            yield lambda: listener.url(f"/?code={access.new_code()}")


def labelling_server(
    editor: LabelEditor, access: PageAccess, *, labels: Sequence[str] = (), port: int = 0
) -> HttpListener:
    """The server of the page of ``editor``, which is started before it and closed after it: labels
    that arrive while the server closes are saved."""
    closing = AsyncExitStack()
    closing.push_async_callback(editor.stop_looking)
    app = labelling_app(LabelRoutes(editor, labels), access)
    return HttpListener(app, LOOPBACK, port, inner=closing)


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
    async with labelling_page(folder, judge, labels=labels, port=port) as new_address:
        say(f"Label {folder} at {new_address()} (Ctrl-C ends it; each change is saved)")
        if browser:
            # Finding and starting a browser may take seconds.
            await asyncio.to_thread(webbrowser.open, new_address())
        await asyncio.Event().wait()
