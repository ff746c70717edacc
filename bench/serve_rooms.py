"""``sidecar serve``: rooms until something gives, what their parts cost, and processes killed.

A real LiveKit server; participants are in a process of their own and send a recorded clip. Server,
participants and sidecar share this machine's cores: a machine beside an SFU would hold more.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Mapping

import numpy as np

from bench.serve_load import DEFAULT_RATE, Meetings, RoomLoad, join_rooms, meetings
from bench.table import Table
from tests.e2e.served import Served, workers

SMALL = {"width": 480, "height": 270, "fps": 10}
"""A composite of which two cores hold several."""
WHOLE = {"width": 1280, "height": 720, "fps": 25}
"""The composite of the default settings."""
VIEWERS = 4
"""Further viewers, by whom the cost of one is measured."""
LATE = 5.0
"""Percent of late ticks with which a composite no longer keeps its frame rate."""
ROOMS = (
    "rooms x participants",
    "server, % of a core",
    "a room",
    "detection",
    "pictures/s",
    "late %",
    "samples/s",
    "sampling ratio",
    "what gave",
)


def gave(load: RoomLoad) -> list[str]:
    """What a server under ``load`` did less of than was wanted; the first gives first by design."""
    behind = load.late > LATE or load.pictures < 0.95 * load.fps
    return [
        *(["sampling is slowed down"] if load.ratio < 1 else []),
        *(["composites are late"] if behind else []),
        *([f"{load.broken} rooms broke down"] if load.broken else []),
    ]


async def fill(
    table: Table, participants: int, rooms: int, seconds: float, *, hosted: bool
) -> list[RoomLoad]:
    """Add rooms one by one until composites are late or rooms break, or there are ``rooms``."""
    loads = []
    async with meetings(participants, SMALL, hosted=hosted) as there:
        async for load in join_rooms(there, rooms, seconds):
            loads.append(load)
            table.add(
                f"{load.rooms} x {participants}",
                100 * load.server,
                100 * load.room,
                100 * load.detection,
                load.pictures,
                load.late,
                load.samples,
                load.ratio,
                ", ".join(gave(load)) or "nothing",
            )
            if set(gave(load)) - {"sampling is slowed down"}:
                break
    return loads


async def one_room(participants: int, seconds: float) -> RoomLoad:
    """One room with the composite of the default settings."""
    async with meetings(participants, WHOLE) as there:
        await there.add(1)
        return await there.load(seconds)


async def viewer_cost(seconds: float) -> float:
    """Cores that one further viewer of a hosted room costs."""
    async with meetings(1, WHOLE, hosted=True) as there:
        name = await there.add(1)
        alone = await there.load(seconds)
        await there.watch(name, VIEWERS)
        return ((await there.load(seconds)).server - alone.server) / VIEWERS


def cost_table(small: list[RoomLoad], whole: list[RoomLoad], viewer: float) -> Table:
    """``serve.costs``: a plane through what rooms cost by their participants and composite."""
    sizes = [f"{one['width']}x{one['height']}@{one['fps']}" for one in (SMALL, WHOLE)]
    table = Table(
        "Costs of a room's parts",
        ("base", "composite", "participant", "sample", "viewer"),
        f"Shares of a core, of {len(small)} rows of {sizes[0]} and {len(whole)} of {sizes[1]} "
        "with participants of 640x360@30; composite is one of 1280x720@25, and a sample is "
        "one a second, in a detection worker. The line for the settings file: ",
    )
    share, loads = pixels(SMALL) / pixels(WHOLE), [*small, *whole]
    matrix = [
        *([1.0, share, load.participants] for load in small),
        *([1.0, 1.0, load.participants] for load in whole),
    ]
    rooms = np.array([load.room for load in loads])
    solved, *_ = np.linalg.lstsq(np.array(matrix), rooms, rcond=None)
    base, composite, participant = map(float, solved)
    sampled = sum(load.rooms * load.participants * load.samples for load in loads)
    sample = sum(load.detection for load in loads) / sampled
    table.add(base, composite, participant, sample, viewer)
    table.note += (
        f"`costs = {{ base = {base:.2f}, composite = {composite:.2f}, "
        f"participant = {participant:.3f}, sample = {sample:.3f}, viewer = {viewer:.3f} }}`."
    )
    return table


def pixels(layout: Mapping[str, int]) -> int:
    """Pixels a second of a composite."""
    return layout["width"] * layout["height"] * layout["fps"]


def memory_table(loads: Mapping[str, RoomLoad]) -> Table:
    """What processes hold; ``loads`` by what they are of."""
    table = Table(
        "Memory of a server of rooms",
        ("process", "MB resident", "MB of its own"),
        "Of its own is what would be free without it: libraries are shared by all processes.",
    )
    first, *_, last = loads.values()
    table.add("server", first.memory["server"].resident, first.memory["server"].own)
    table.add("a detection worker", first.memory["worker"].resident, first.memory["worker"].own)
    for what, load in loads.items():
        table.add(what, load.memory["room"].resident, load.memory["room"].own)
    more = last.participants - first.participants
    resident = (last.memory["room"].resident - first.memory["room"].resident) / more
    own = (last.memory["room"].own - first.memory["room"].own) / more
    table.add("a further participant", resident, own)
    return table


async def killed(table: Table, seconds: float) -> None:
    """Late ticks in equal times: without a kill, of a room's process, of a detection worker."""
    async with meetings(1, SMALL) as there:
        rooms = [await there.add(number) for number in (1, 2)]
        await asyncio.sleep(seconds)
        for what in ("nothing", "a room's process", "a detection worker"):
            before = await _ticks(there)
            back = await _kill(there.sidecar, what, there.ids[rooms[0]])
            await asyncio.sleep(max(seconds - back, 0))
            ticks, late, dropped = (
                now - then for now, then in zip(await _ticks(there), before, strict=True)
            )
            table.add(what, int(ticks), int(late), int(dropped), back)


async def _ticks(there: Meetings) -> tuple[float, float, float]:
    return (
        await there.sidecar.metric("sidecar_composite_ticks_total"),
        await there.sidecar.metric("sidecar_composite_late_ticks_total"),
        await there.sidecar.metric("sidecar_samples_dropped_total"),
    )


async def _kill(sidecar: Served, what: str, room: str) -> float:
    """SIGKILL one of ``sidecar``'s processes; the seconds until its work goes on."""
    began = time.monotonic()
    if what == "a room's process":
        shown = await sidecar.call("GET", f"/v1/rooms/{room}")
        os.kill(shown["pid"], signal.SIGKILL)
        await sidecar.until(room, state="live", restarts=1, participants=1)
    elif what == "a detection worker":
        restarts = await sidecar.metric("sidecar_detection_worker_restarts_total")
        wanted = await sidecar.metric("sidecar_detection_workers")
        workers(sidecar.process.pid)[0].kill()
        while True:
            now = await sidecar.metric("sidecar_detection_worker_restarts_total")
            if now > restarts and await sidecar.metric("sidecar_detection_workers") == wanted:
                break
            await asyncio.sleep(0.05)
    else:
        return 0.0
    return time.monotonic() - began


def _rooms_table(*, hosted: bool) -> Table:
    return Table(
        "Rooms of one server" + (", in its own process" if hosted else ""),
        ROOMS,
        f"640x360@30 VP8 in, {SMALL['width']}x{SMALL['height']}@{SMALL['fps']} out, {DEFAULT_RATE} "
        "samples a second wanted of each participant; pictures/s a room, samples/s a participant. "
        + ("The server hosts the rooms." if hosted else "A process a room, beside LiveKit."),
    )


def measure(quick: bool) -> Iterator[Table]:
    """Rooms until something gives, of processes and in one; costs; memory; kills."""
    seconds = 4 if quick else 20
    series = ((1, 10), (4, 4)) if quick else ((1, 16), (4, 8), (9, 4))
    calm = list[RoomLoad]()
    for hosted in (False, True):
        rooms = _rooms_table(hosted=hosted)
        for participants, most in series:
            filled = asyncio.run(fill(rooms, participants, most, seconds, hosted=hosted))
            calm += [] if hosted else [load for load in filled if not gave(load)]
        yield rooms
    counts = (1, 4) if quick else (1, 4, 9)
    loads = [asyncio.run(one_room(count, 2 * seconds)) for count in counts]
    yield cost_table(calm, loads, asyncio.run(viewer_cost(2 * seconds)))
    yield memory_table({f"a room of {load.participants} participants": load for load in loads})
    kills = Table(
        "Processes of a server killed",
        ("killed", "ticks", "late ticks", "samples dropped", "back after s"),
        f"Two rooms with one participant each; counts of both in {2 * seconds} s from the kill on.",
    )
    asyncio.run(killed(kills, 2 * seconds))
    yield kills
