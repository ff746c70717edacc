"""Run a command until SIGINT or SIGTERM, or for a duration."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Coroutine, Iterator
from types import FrameType

from sidecar.open_files import raise_open_file_limit


def run_until_stopped(life: Coroutine[None, None, None]) -> None:
    """Run ``life``; SIGTERM (a container's stop) and SIGHUP (a closed terminal) end it as cleanly
    as its own end does.

    So does Ctrl-C, which is passed on as KeyboardInterrupt after that. SIGINT and SIGHUP that were
    ignored when the program started stay ignored: a shell does so for jobs in the background, whose
    terminal's Ctrl-C is meant for others, and ``nohup`` for those that outlive their terminal.
    The limit on open files is raised first.
    """
    raise_open_file_limit()
    # Else a full collection walks 130,000 objects of modules, and the loop waits 70 ms for it.
    gc.freeze()

    async def live() -> None:
        task = asyncio.ensure_future(life)
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers.
            for number in _ending():
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            # Ctrl-C: asyncio would cancel everything at once then, connections that are being
            # closed among it, which hang. Let it end in its own order.
            task.cancel()
            await asyncio.wait({task})
            raise
        if not task.cancelled():
            task.result()

    asyncio.run(live())


def _ending() -> Iterator[signal.Signals]:
    """The signals that end a command, apart from Ctrl-C."""
    yield signal.SIGTERM
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


def exit_on_signals() -> None:
    """From now on, SIGTERM and SIGHUP end the program as an exception would: files that are not
    whole are removed on the way. The exit status is 128 and the signal's number."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for signal_number in _ending():
        signal.signal(signal_number, leave)
