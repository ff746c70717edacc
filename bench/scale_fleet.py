"""Many nodes on a virtual clock, each with the server's own admission.

What is real: ``Admission`` and ``CostTable`` of ``sidecar.supervisor``, asked as the supervisor
asks them. What stands in: the rooms, which cost what the cost table says, and LiveKit, which draws
a worker with the weight 1 - load among those that are not full, and draws again where one refuses
(``selectWorkerWeightedByLoad`` and ``JobRequest`` of livekit-server 1.13.5,
``pkg/service/agentservice.go``).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from config.errors import CapacityError
from sidecar.supervisor.admission import HOLD, Admission, CostTable

SETTLED: Final = 25
"""Measurements, one a second, after which the average of ``Admission`` is what it averages."""


@dataclass(slots=True)
class SimulatedRoom:
    """A room on a node; ``cost`` is what it really takes, in cores."""

    name: str
    cost: float
    node: int
    unsettled: int = SETTLED
    """Measurements until its average has settled."""


@dataclass(slots=True)
class DrawCounts:
    """What came of placing rooms."""

    placed: int = 0
    offers: int = 0
    """Nodes that were asked, all together."""
    nowhere: int = 0
    """Placements that failed: no node had capacity."""


@dataclass(slots=True)
class SimulatedFleet:
    """Nodes with ``cores`` for rooms each; times are virtual seconds."""

    nodes: int
    cores: float
    costs: CostTable
    declared: float
    """Cores that are reserved for a room that begins."""
    chance: np.random.Generator
    counts: DrawCounts = field(default_factory=DrawCounts)

    rooms: dict[str, SimulatedRoom] = field(default_factory=dict)
    _unsettled: dict[str, SimulatedRoom] = field(default_factory=dict)
    _admissions: list[Admission] = field(init=False)
    _weights: np.ndarray[tuple[int], np.dtype[np.float64]] = field(init=False)
    _used: np.ndarray[tuple[int], np.dtype[np.float64]] = field(init=False)
    _closed: np.ndarray[tuple[int], np.dtype[np.bool_]] = field(init=False)

    def __post_init__(self) -> None:
        self._admissions = [Admission(self.cores) for _ in range(self.nodes)]
        self._weights = np.ones(self.nodes)
        self._used = np.zeros(self.nodes)
        self._closed = np.zeros(self.nodes, dtype=np.bool_)

    def place(self, name: str, cost: float, now: float) -> int | None:
        """The node that took room ``name``; None where none has capacity."""
        weights = np.where(self._closed, 0.0, self._weights)
        while (total := float(weights.sum())) > 0:
            drawn = int(np.searchsorted(np.cumsum(weights), self.chance.random() * total, "right"))
            node = min(drawn, self.nodes - 1)
            self.counts.offers += 1
            try:
                self._admissions[node].admit(name, self.declared, now)
            except CapacityError:
                weights[node] = 0.0
                continue
            finally:
                # A worker reports its load with each answer.
                self._report(node, now)
            self.rooms[name] = self._unsettled[name] = SimulatedRoom(name, cost, node)
            self._used[node] += cost
            self.counts.placed += 1
            return node
        self.counts.nowhere += 1
        return None

    def change(self, name: str, cost: float) -> None:
        """A room takes ``cost`` cores from now on; one that is nowhere is ignored."""
        if (room := self.rooms.get(name)) is not None:
            self._used[room.node] += cost - room.cost
            room.cost, room.unsettled = cost, SETTLED
            self._unsettled[name] = room

    def end(self, name: str, now: float) -> None:
        """A room is over; one that is nowhere is ignored."""
        self._unsettled.pop(name, None)
        if (room := self.rooms.pop(name, None)) is not None:
            self._used[room.node] -= room.cost
            self._admissions[room.node].release(name)
            self._report(room.node, now)

    def measure(self, now: float, seconds: int) -> None:
        """Each node has measured its rooms once a second for ``seconds``, and reports its load."""
        touched = set()
        for room in list(self._unsettled.values()):
            admission = self._admissions[room.node]
            for _ in range(seconds):
                admission.measure(room.name, room.cost)
            room.unsettled -= seconds
            if room.unsettled <= 0:
                del self._unsettled[room.name]
            touched.add(room.node)
        for node in touched:
            self._report(node, now)

    def close(self, nodes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        """These nodes take no more rooms: they drain, or are gone."""
        self._closed[nodes] = True

    def lose(self, nodes: np.ndarray[tuple[int], np.dtype[np.int64]], now: float) -> list[str]:
        """These nodes are gone; the names of the rooms that they had."""
        self.close(nodes)
        gone = set(nodes.tolist())
        lost = [room.name for room in self.rooms.values() if room.node in gone]
        for name in lost:
            self.end(name, now)
        return lost

    @property
    def loads(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """What is really used of each node that takes rooms, as a share of its cores for rooms."""
        return self._used[~self._closed] / self.cores

    def _report(self, node: int, now: float) -> None:
        """LiveKit knows the load in steps of a hundredth; a worker with 1 or more is full."""
        load = round(self._admissions[node].load(now), 2)
        self._weights[node] = max(0.0, 1 - load)


assert SETTLED > HOLD
