"""Where rooms and detection run, and how many cores there are for them."""

import asyncio

import pytest

from config.errors import ConfigError
from config.settings import Settings
from sidecar.serve.engine import ServeEngine, follow_cores, local_engine, open_engine
from sidecar.supervisor.admission import Admission
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.memory_handle import NothingSeen


def engine(*counts: float) -> ServeEngine:
    """An engine of a cluster that has so many cores, one count after another, and then is away."""
    left = list(counts)

    async def cores() -> float:
        if not left:
            raise ConnectionError("the cluster is away")
        return left.pop(0)

    local = local_engine(Settings(), lambda _: NothingSeen())
    return ServeEngine(local.detector, local.rooms, cores)


async def test_admission_follows_the_nodes_of_a_cluster() -> None:
    admission = Admission(1.0)
    wanted = Settings(serve={"engine": "ray", "cpu_share": 0.5}).serve
    # The third count fails: what was counted before stays.
    following = follow_cores(admission, engine(8.0, 4.0), wanted, every=0)
    task = asyncio.create_task(following)
    await eventually(lambda: admission.cores == 2.0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("serve", [{}, {"engine": "ray", "cores": 3.0}], ids=["local", "given"])
async def test_cores_that_are_given_stay(serve: dict[str, object]) -> None:
    admission = Admission(1.0)
    await follow_cores(admission, engine(), Settings(serve=serve).serve, every=0)
    assert admission.cores == 1.0


async def test_without_ray_the_engine_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="Ray is not installed") as caught:
        async with open_engine(Settings(serve={"engine": "ray"}), {}):
            pass
    assert "[cluster]" in caught.value.do
