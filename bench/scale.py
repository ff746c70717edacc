"""Ten thousand rooms: what admission does with a day of them, and with the loss of nodes.

A simulation with the server's own admission on a virtual clock; docs/scale.md says what stands in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.scale_day import DayResult, MeetingDay
from bench.scale_fleet import SimulatedFleet
from bench.scale_meetings import DrawnMeeting, draw_day, most_at_once
from bench.scale_recovery import JOINED, SweepShape, found_after, request_time
from bench.table import Table
from config.settings import load_settings
from sidecar.supervisor.admission import CostTable

NODE: Final = 16
"""Cores of a node."""
SEED: Final = 20_261_130
LOST: Final = 0.05
"""Share of the nodes that are lost at the busiest moment."""
FILLS: Final = (0.7, 0.85, 1.0)
"""Load of the fleet at the busiest moment that it is sized for."""
PICTURE: Final = Path("docs/images/scale.webp")


@dataclass(frozen=True, slots=True)
class SizedCosts:
    """The shipped costs, and what they say of a room."""

    costs: CostTable
    rate: float
    expected: int
    share: float

    @classmethod
    def shipped(cls) -> "SizedCosts":
        settings = load_settings(environ={})
        serve = settings.serve
        costs = CostTable(**serve.costs.model_dump())
        return cls(costs, settings.sampling.rate, serve.expected_participants, serve.cpu_share)

    def room(self, cameras: int) -> float:
        """Cores of a room with the default composite."""
        return self.costs.room(cameras, self.rate)

    @property
    def declared(self) -> float:
        return self.room(self.expected)

    @property
    def cores(self) -> float:
        """Of a node, for rooms."""
        return NODE * self.share

    def nodes(self, meetings: list[DrawnMeeting], fill: float) -> int:
        """Nodes whose load is ``fill`` when the most meetings are open."""
        most, _ = most_at_once(meetings)
        mean = float(np.mean([self.room(len(one.joins)) for one in meetings]))
        return int(np.ceil(most * mean / (self.cores * fill)))


def measure(quick: bool) -> Iterator[Table]:
    """A day at several sizes of the fleet, the loss of nodes, and where rooms are found again."""
    rooms = 1_000 if quick else 10_000
    sized, meetings = SizedCosts.shipped(), draw_day(rooms, SEED)
    days: dict[float, DayResult] = {}
    yield day_table(sized, meetings, days)
    yield loss_table(sized, meetings)
    yield recovery_table(sized, meetings)
    if not quick:
        draw(days, PICTURE)


def make_day(sized: SizedCosts, meetings: list[DrawnMeeting], nodes: int) -> MeetingDay:
    """A day of ``meetings`` on as many nodes, not played yet."""
    chance = np.random.default_rng(SEED)
    fleet = SimulatedFleet(nodes, sized.cores, sized.costs, sized.declared, chance)
    return MeetingDay(fleet, meetings, sized.room, sized.share)


def day_table(
    sized: SizedCosts, meetings: list[DrawnMeeting], days: dict[float, DayResult]
) -> Table:
    """The days, which are put into ``days``."""
    most, when = most_at_once(meetings)
    table = Table(
        f"A day of {len(meetings)} meetings, {most} at once (simulated)",
        ("sized for", "nodes", "offers a room", "waited", "waited s, p95 / max", "never placed",
         "node load at peak, median / p95", "node-minutes over rooms' cores %", "over all cores %"),
        f"{NODE} cores a node, {sized.cores:.1f} of them for rooms; the busiest moment is"
        f" {clock(when)}. A room is declared at {sized.declared:.2f} cores and takes what the cost"
        " table says of its cameras. Waited: no node took it at first.",
    )  # fmt: skip
    for fill in FILLS:
        nodes = sized.nodes(meetings, fill)
        day = make_day(sized, meetings, nodes)
        days[fill] = result = day.run()
        counts, late = day.fleet.counts, result.late or [0.0]
        peak = max(result.looks, key=lambda look: look.rooms)
        table.add(
            f"{fill:.0%}",
            nodes,
            f"{counts.offers / counts.placed:.2f}",
            len(result.late),
            f"{np.percentile(late, 95):.0f} / {max(late):.0f}",
            result.never,
            f"{peak.median:.2f} / {peak.p95:.2f}",
            f"{100 * np.mean([look.over_rooms for look in result.looks]):.2f}",
            f"{100 * np.mean([look.over_machine for look in result.looks]):.2f}",
        )
    return table


def loss_table(sized: SizedCosts, meetings: list[DrawnMeeting]) -> Table:
    """What becomes of the rooms of lost nodes, once they are dispatched again."""
    _, when = most_at_once(meetings)
    table = Table(
        f"{LOST:.0%} of the nodes are lost at the busiest moment (simulated)",
        ("sized for", "nodes lost", "rooms lost", "placed at once", "no capacity then",
         "offers a room", "load of the others after, median / p95"),
        "The rooms are dispatched again together, by LiveKit's draw among the nodes that are left.",
    )  # fmt: skip
    for fill in FILLS:
        day = make_day(sized, meetings, sized.nodes(meetings, fill))
        row: list[object] = []

        def lose(day: MeetingDay, now: float, row: list[object] = row) -> None:
            row.extend(_lose(day, now))

        day.at = (when, lose)
        day.run(until=when + 60)
        table.add(f"{fill:.0%}", *row)
    return table


def _lose(day: MeetingDay, now: float) -> tuple[object, ...]:
    fleet = day.fleet
    gone = fleet.chance.choice(fleet.nodes, max(1, round(LOST * fleet.nodes)), replace=False)
    costs = {name: room.cost for name, room in fleet.rooms.items()}
    lost = fleet.lose(gone, now)
    offers = fleet.counts.offers
    placed = sum(fleet.place(name, costs[name], now) is not None for name in lost)
    asked = (fleet.counts.offers - offers) / max(1, len(lost))
    median, p95 = np.percentile(fleet.loads, [50, 95])
    load = f"{median:.2f} / {p95:.2f}"
    return len(gone), len(lost), placed, len(lost) - placed, f"{asked:.2f}", load


def recovery_table(sized: SizedCosts, meetings: list[DrawnMeeting]) -> Table:
    """How long rooms of lost nodes are without a composite, by the rooms of one LiveKit server."""
    most, _ = most_at_once(meetings)
    whole = sized.nodes(meetings, FILLS[0])
    table = Table(
        "From the loss of nodes to the composite (simulated)",
        ("rooms of one LiveKit server", "workers", "ms a request", "a look, s", "requests/s",
         "back after s, median / p95 / max"),
        "Each worker looks for dispatches that no server works on; found, deleted, created again,"
        f" and {JOINED} s to join (measured). Rows with * have the time that a request takes where"
        " the server answers 20,000 requests a second at most; others take a server of any speed.",
    )  # fmt: skip
    for rooms in sorted({100, min(1_000, most), most}):
        workers = max(2, round(whole * rooms / most))
        free = SweepShape(workers, rooms, 0.002)
        busy = request_time(workers, 20_000) if free.requests > 20_000 else free.request
        for request, mark in ((0.002, ""), (max(0.002, busy), "*")):
            shape = SweepShape(workers - round(LOST * workers), rooms, request)
            lost = max(1, round(LOST * rooms))
            after = found_after(shape, lost, np.random.default_rng(SEED)) + JOINED
            median, p95 = np.percentile(after, [50, 95])
            table.add(
                rooms,
                workers,
                f"{1000 * request:.1f}{mark}",
                f"{shape.look:.2f}",
                f"{shape.requests:.0f}",
                f"{median:.1f} / {p95:.1f} / {after.max():.1f}",
            )
    return table


def clock(seconds: float) -> str:
    """A time of day."""
    return f"{int(seconds // 3600):02}:{int(seconds % 3600 // 60):02}"


def draw(days: dict[float, DayResult], file: Path) -> None:
    """The day as a picture: rooms, and load of the nodes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 6), sharex=True)
    for fill, result in days.items():
        hours = [look.time / 3600 for look in result.looks]
        (line,) = below.plot(hours, [look.median for look in result.looks], label=f"{fill:.0%}")
        p95 = [look.p95 for look in result.looks]
        below.plot(hours, p95, color=line.get_color(), linestyle=":", linewidth=1)
    above.plot(hours, [look.rooms for look in result.looks], color="black")
    above.set(ylabel="rooms", title="A day of meetings on fleets of three sizes (simulated)")
    below.legend(loc="upper left", title="sized for")
    below.axhline(1, color="grey", linewidth=0.8)
    below.set(xlabel="hour of the day", ylabel="load of a node: median, p95 dotted", xlim=(0, 24))
    for part in (above, below):
        part.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    plt.close(figure)
