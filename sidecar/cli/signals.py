"""Commands that run until somebody stops them."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine


def run_until_stopped(life: Coroutine[None, None, None]) -> None:
    """Run ``life``; SIGTERM (a container's stop) ends it as cleanly as its own end does.

    So does Ctrl-C, which is passed on as KeyboardInterrupt after that.
    """

    async def live() -> None:
        task = asyncio.ensure_future(life)
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
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
