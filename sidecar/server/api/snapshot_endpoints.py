"""The endpoint of snapshots: pictures of participants who have not opted out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sidecar.server.api.endpoints import Endpoint, Exchange
from sidecar.server.api.tokens import Scope
from sidecar.supervisor.control import TakeSnapshots
from sidecar.supervisor.server_values import SnapshotSet, SnapshotView
from sidecar.supervisor.snapshot_folder import SnapshotFolder
from sidecar.supervisor.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class SnapshotEndpoints:
    """Snapshots of the rooms of ``supervisor``, kept by ``folder``."""

    supervisor: Supervisor
    folder: SnapshotFolder

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        return (
            Endpoint(
                "POST", "/v1/rooms/{room}/snapshots", "takeSnapshots",
                "Take pictures of the participants who have not opted out", Scope.ADMIN, self.take,
                status=201, answer=SnapshotSet, errors=(404, 409, 503, 504, 507),
            ),
        )  # fmt: skip

    async def take(self, exchange: Exchange) -> SnapshotSet:
        room = self.supervisor.room(exchange.request.match_info["room"]).id
        found = await self.supervisor.call(room, TakeSnapshots())
        pictures = [SnapshotView.model_validate(one) for one in found]
        return await asyncio.to_thread(self.folder.keep, room, pictures, datetime.now(UTC))
