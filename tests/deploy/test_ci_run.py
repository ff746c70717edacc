"""The end of a CI run names each step and what it came to; the steps here are stand-ins."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = [
    "chromium",
    "npm",
    "faketime",
    "promtool",
    "gst-inspect-1.0",
    "redis-server",
    "buildah",
]
"""What the run would install; they are there, so that it doesn't."""
JOBS = ("roundtrips", "charts", "cluster", "image")

Run = subprocess.CompletedProcess[str]


def program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which every step passes."""
    for name in INSTALLED:
        program(tmp_path / "bin" / name, "exit 0")
    program(tmp_path / "bin/make", 'echo "== 3 passed in 1.00s =="')
    program(tmp_path / ".venv/bin/python", "exit 0")
    for name in JOBS:
        program(tmp_path / ".ci" / name, "exit 0")
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    return tmp_path


def ci(checkout: Path) -> Run:
    environment = os.environ | {"PATH": f"{checkout / 'bin'}:/usr/bin:/bin"}
    command = ["bash", str(checkout / ".ci/run")]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def result(run: Run) -> list[str]:
    return run.stdout.partition("== result\n")[2].splitlines()


def test_a_run_in_which_every_step_passes_says_so_line_by_line(checkout: Path) -> None:
    run = ci(checkout)

    assert run.returncode == 0, run.stderr
    steps = ("lint", "tests", "fuzz", "skipped tests", "reruns", *JOBS)
    assert result(run) == ["== 3 passed in 1.00s ==", *(f"{step}: passed" for step in steps)]


def test_the_check_of_skipped_tests_that_fails_is_named_and_no_image_is_built(
    checkout: Path,
) -> None:
    reason = "error: skipped: tests.a.test_b: it is Monday"
    body = f'[ "$1" != .ci/skipped.py ] || {{ echo "{reason}"; exit 1; }}'
    program(checkout / ".venv/bin/python", body)

    run = ci(checkout)

    assert run.returncode == 1
    failed = [line for line in result(run) if "FAILED" in line]
    assert failed == ["skipped tests: FAILED with status 1"]
    assert reason in result(run)
    assert result(run)[-1] == "image: not built: a step before it failed"


def test_failed_tests_are_listed_beside_their_step_and_later_steps_run(checkout: Path) -> None:
    lines = "FAILED tests/a.py::test_b - AssertionError\n== 1 failed, 2 passed in 1.00s =="
    program(checkout / "bin/make", f"echo '{lines}'\n[ \"$1\" != test ]")

    run = ci(checkout)

    assert run.returncode == 1
    assert "FAILED tests/a.py::test_b - AssertionError" in result(run)
    assert "tests: FAILED with status 1" in result(run)
    assert "fuzz: passed" in result(run)


def test_a_job_that_the_machine_cannot_do_fails_nothing(checkout: Path) -> None:
    program(checkout / ".ci/charts", "exit 75")

    run = ci(checkout)

    assert run.returncode == 0
    assert "charts: not tried on this machine" in result(run)


def test_an_image_that_fails_fails_the_run(checkout: Path) -> None:
    program(checkout / ".ci/image", "exit 3")

    run = ci(checkout)

    assert run.returncode == 1
    assert result(run)[-1] == "image: FAILED with status 3"
