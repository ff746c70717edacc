"""Rooms and detection of one server on a Ray cluster, made from its settings."""

from typing import Final

import ray

from config.serve_settings import ServeSettings
from reactions.pipeline import PipelineConfig
from sidecar.aio import Component
from sidecar.cluster.begin_seal import BeginSeal
from sidecar.cluster.ray_connection import RayConnection
from sidecar.cluster.ray_detector import RayDetector, ReplicaScale
from sidecar.cluster.ray_room import ActorLimits, ActorRoom
from sidecar.inference.detector import Detector

PICTURES: Final = 64
"""Pictures of the annotate service and samples of hosted rooms under way at once."""


class RayEngine(Component):
    """Connected to the cluster of ``settings`` from ``start`` on."""

    def __init__(self, settings: ServeSettings) -> None:
        """Raises ConfigError where there is no key to seal rooms' secrets with."""
        BeginSeal.from_file(settings.key_file)
        assert settings.key_file is not None
        wanted = settings.cluster
        self._key_file = settings.key_file.absolute()
        self._connection = RayConnection(wanted.address, wanted.namespace)
        self._limits = ActorLimits(orphaned=wanted.orphan_timeout, cpus=wanted.room_cpus)
        self._scale = ReplicaScale(
            wanted.min_replicas,
            max(wanted.min_replicas, wanted.max_replicas),
            wanted.target_requests,
            wanted.replica_cpus,
        )

    async def start(self) -> None:
        """Connect; raises ServerError where there is no cluster."""
        await self._connection.start()

    async def aclose(self) -> None:
        """Disconnect."""
        await self._connection.aclose()

    def detector(self, config: PipelineConfig) -> Detector:
        """Detection with these models, not started yet."""
        return RayDetector(self._connection, config.load, scale=self._scale, slots=PICTURES)

    def room(self) -> ActorRoom:
        """A room, not started yet."""
        return ActorRoom(self._connection, self._key_file, self._limits)

    async def cores(self) -> float:
        """CPUs of all nodes, as Ray counts them."""
        resources = await self._connection.run(ray.cluster_resources)
        return float(resources.get("CPU", 1.0))
