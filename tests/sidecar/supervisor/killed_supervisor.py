"""Runs one room, prints the number of its process, and waits to be killed."""

import asyncio
import sys
from pathlib import Path

from sidecar.supervisor.child_room import ChildRoom
from sidecar.supervisor.control import StateReport
from sidecar.supervisor.values import RoomState
from tests.sidecar.supervisor.test_room_process import begin


async def main(clips: Path) -> None:
    """Join ``clips`` and wait."""
    async with ChildRoom() as room:
        await room.start(begin(clips))
        async for report in room.reports():
            if isinstance(report, StateReport) and report.state is RoomState.LIVE:
                break
        print(room.pid, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
