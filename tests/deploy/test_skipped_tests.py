"""The check that CI makes of skipped tests (`.ci/skipped.py`), on reports that pytest writes."""

import ast
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).parents[2] / ".ci/skipped.py"
TESTS = Path(__file__).parents[1]


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


INSTALLED = (
    "Chromium",
    "npm",
    "models",
    "extra 'train'",
    "extra 'dataset'",
    "mediapipe",
    "could not be fetched",
    "SIGKILL",
    "FFmpeg has no WHIP",
    "/dev/full",
    "needs Linux",
)
"""What stands in the other reasons: CI has these, or fails; and one that is put together."""


def reasons(source: Path) -> list[str]:
    """The reasons for skips that are written down in a file of tests."""
    found = []
    for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func)
        if name.endswith((".skipif", ".importorskip", ".mark.skip")):
            said = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        elif name == "pytest.skip":
            said = call.args[:1]
        else:
            continue
        texts = [
            "".join(str(part.value) for part in ast.walk(one) if isinstance(part, ast.Constant))
            for one in said
        ]
        found += [text for text in texts if text]
    return found


def test_each_reason_is_known_to_ci_or_is_none_that_it_can_meet() -> None:
    allowed = runpy.run_path(str(CHECK))["ALLOWED"]
    unknown = [
        f"{source.relative_to(TESTS)}: {reason}"
        for source in sorted(TESTS.rglob("*.py"))
        for reason in reasons(source)
        if not any(word in reason for word in (*allowed, *INSTALLED))
    ]
    assert unknown == []


def test_reasons_are_found_in_each_way_of_skipping(tmp_path: Path) -> None:
    source = tmp_path / "test_one.py"
    source.write_text(
        "import pytest\npytest.importorskip('ray', reason='a')\n"
        "@pytest.mark.skipif(True, reason='b')\ndef test_one(): pytest.skip(f'c {1 + 1}')\n"
    )
    assert [reason[0] for reason in reasons(source)] == ["a", "b", "c"]
