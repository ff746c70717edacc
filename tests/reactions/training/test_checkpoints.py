"""Trainings that are killed at any moment, and disks that fill up."""

import errno
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.errors import ModelError
from reactions.training.checkpoints import CheckpointFolder, MemberState, write_whole
from tests.reactions.training.killed_training import EPOCHS, KEPT_OUT, ROUNDS

KILLS = int(os.environ.get("SIDECAR_TEST_KILLS", "3"))
"""How often a training is killed; 20 in ``make soak``."""
STATES = EPOCHS * ROUNDS * len(KEPT_OUT)
STEPS = STATES * 2
"""Batches of all epochs and members."""
MOMENTS = {"write": STATES, "step": STEPS, "fsync": 2 * STATES, "rename": STATES}
"""How often each moment comes in a whole training, or a little less."""


def moments() -> list[tuple[str, int]]:
    """Seeded moments; each kind in turn."""
    draw = random.Random(5)
    kinds = [list(MOMENTS)[number % len(MOMENTS)] for number in range(KILLS)]
    return [(kind, draw.randint(1, MOMENTS[kind])) for kind in kinds]


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The weights of a training that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert run_training(folder) == 0
    return (folder / "values.npy").read_bytes()


def run_training(folder: Path, *arguments: object) -> int:
    command = [sys.executable, "-m", "tests.reactions.training.killed_training", str(folder)]
    # The same number of threads in each process: sums in another order are other sums.
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([*command, *map(str, arguments)], env=environ, check=False).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(("moment", "number"), moments())
def test_a_killed_training_resumes_to_the_same_weights(
    moment: str, number: int, tmp_path: Path, values: bytes
) -> None:
    assert run_training(tmp_path, moment, number) == -signal.SIGKILL
    assert not (tmp_path / "values.npy").exists()
    assert run_training(tmp_path) == 0
    assert (tmp_path / "values.npy").read_bytes() == values
    assert not list((tmp_path / "checkpoints").glob("*.partial"))


def state(number: float = 1.0) -> MemberState:
    row = np.full(5, number, np.float32)
    return MemberState(row, row + 1, row + 2, 7, {"state": {"state": 2**127}}, (0.5,), (0.25,))


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, {"seed": 1})
    assert folder.load(0) is None
    folder.save(0, state())
    found = CheckpointFolder(tmp_path, {"seed": 1}).load(0)
    assert found is not None
    assert (found.steps, found.epochs, found.losses, found.held_out) == (7, 1, (0.5,), (0.25,))
    assert found.random == state().random
    assert found.second.tolist() == [3.0] * 5


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("place", ["savez", "fsync"])
def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, place: str
) -> None:
    folder = CheckpointFolder(tmp_path, {"seed": 1})
    folder.save(0, state(1.0))

    def fail(*arguments: Any, **more: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(np if place == "savez" else os, place, fail)
    with pytest.raises(OSError, match=os.strerror(code)):
        folder.save(0, state(2.0))
    monkeypatch.undo()
    found = folder.load(0)
    assert found is not None
    assert found.values.tolist() == [1.0] * 5
    assert [path.name for path in tmp_path.glob("*.partial")] == []


def test_a_folder_of_another_training_is_refused(tmp_path: Path) -> None:
    CheckpointFolder(tmp_path, {"seed": 1, "hands": 2})
    CheckpointFolder(tmp_path, {"seed": 1, "hands": 2})
    with pytest.raises(ModelError, match="another hands"):
        CheckpointFolder(tmp_path, {"seed": 1, "hands": 3})


def test_what_is_no_checkpoint_is_one_line(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, {})
    (tmp_path / "member-00.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="no whole checkpoint"):
        folder.load(0)
    write_whole(tmp_path / "plan.json", b"{")
    with pytest.raises(ModelError, match="is damaged"):
        CheckpointFolder(tmp_path, {})
