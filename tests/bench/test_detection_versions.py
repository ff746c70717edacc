"""The comparison of two versions: each runs in its own checkout, on the same pictures."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.detection import MIX
from bench.detection_versions import Version, compare, started

HERE = Path(__file__).resolve().parents[2]


@pytest.mark.models
def test_a_version_is_its_own_measure() -> None:
    table = compare([Version("here", HERE, every=False)], rounds=1, samples=1)
    ((name, labels, *costs, ratio),) = table.rows
    assert (name, ratio) == ("here", "1.00 (1.00–1.00)")
    assert int(labels) > 18
    assert len(costs) == len(MIX) + 1
    assert all(float(cost) > 0 for cost in costs)


def test_a_checkout_without_a_recogniser_ends_the_comparison(tmp_path: Path) -> None:
    elsewhere = Version("empty", tmp_path, every=True)
    (tmp_path / "reactions.py").write_text("raise ImportError('no recogniser here')")
    with ExitStack() as stack, pytest.raises(RuntimeError, match="ended early"):
        started(elsewhere, tmp_path, stack)
