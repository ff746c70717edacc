"""The check that CI makes of skipped tests (`.ci/skipped.py`), on reports that pytest writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).parents[2] / ".ci/skipped.py"


def check(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    """What the check says of the report of a run of one file of tests."""
    (folder / "test_one.py").write_text(test, encoding="utf-8")
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    subprocess.run(
        [*run, f"--rootdir={folder}", "--junitxml=report.xml", "test_one.py"],
        cwd=folder,
        check=False,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.DEVNULL,
    )
    return subprocess.run(
        [sys.executable, CHECK, folder / "report.xml"],
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "skip",
    [
        "pytest.importorskip('no_such_module', reason={reason!r})\ndef test_one(): pass",
        "pytest.skip({reason!r}, allow_module_level=True)",
        "@pytest.mark.skip(reason={reason!r})\ndef test_one(): pass",
        "def test_one(): pytest.skip({reason!r})",
    ],
    ids=["import", "file", "mark", "call"],
)
@pytest.mark.parametrize(
    ("reason", "status"), [("`.ci/cluster` has it", 0), ("it is Monday", 1)], ids=["known", "new"]
)
def test_a_reason_is_found_wherever_pytest_writes_it(
    tmp_path: Path, skip: str, reason: str, status: int
) -> None:
    done = check(tmp_path, "import pytest\n" + skip.format(reason=reason))
    assert done.returncode == status, done.stdout
    assert reason in done.stdout


def test_a_run_without_a_report_fails(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, CHECK, tmp_path / "report.xml"], check=False)
    assert done.returncode == 1
