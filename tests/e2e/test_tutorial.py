"""The tutorial "drinking tea", run as its page says: each block of shell, in its order."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reactions.landmarks.model_store import ModelStore
from tests.servers.process import free_ports

pytestmark = [pytest.mark.peers, pytest.mark.models]
PAGE = Path(__file__).parents[2] / "docs" / "tutorial-drinking-tea.md"
PORT = "8080"
"""What the page says; the test takes a free one."""
PATIENCE = 900
"""Seconds that all of it may take on a busy machine."""


def blocks() -> list[str]:
    """The shell that readers paste; ``console`` is what they do once, or by hand."""
    found = re.finditer(r"(?ms)^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
    return [block[1] for block in found]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user without settings, bundles or clips, who has the models."""
    binaries = Path(sys.executable).parent
    return {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "SIDECAR_MODELS": str(ModelStore().folder),
        "SIDECAR_SERVE__DATA_FOLDER": str(tmp_path / "data"),
        # A "browser" that opens nothing.
        "BROWSER": "true",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A shell in an empty folder, which ends with all that it started."""
    folder = tmp_path / "drinking-tea"
    folder.mkdir()
    (tmp_path / "home").mkdir()
    with subprocess.Popen(
        ["bash", "-e"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environment,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with_group(process.pid, signal.SIGTERM)


def with_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def test_a_stream_that_is_cut_off_is_not_asked_for_again() -> None:
    # "curl --retry-all-errors | grep --max-count 1" asks 90 times once grep has ended.
    for block in blocks():
        streams = [line for line in block.splitlines() if line.endswith("|")]
        assert not any("--retry" in line for line in streams)


def test_the_tutorial_leads_to_a_live_reaction(
    shell: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    script = "\n".join(blocks()).replace(PORT, str(*free_ports(1)))
    assert "sidecar demo --act" in script
    # The demo would wait for Ctrl-C.
    out, _ = shell.communicate(f"{script}\nkill %1\nwait\necho the end\n", timeout=PATIENCE)
    assert "the end" in out, out
    events = [line for line in out.splitlines() if line.startswith("data:")]
    assert any("drinking_tea" in line for line in events), out
    assert "taught-1 is in use, with drinking_tea" in out
    assert "shipped is in use" in out
    folder = tmp_path / "drinking-tea"
    assert (folder / "labels.png").stat().st_size > 1000
    assert (folder / "tea-label.zip").is_file()
