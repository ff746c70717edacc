"""Containment of code that may raise anything."""

import asyncio
import subprocess
import sys

import pytest

from sidecar.captured import Captured, failure_text


def test_an_exception_ends_the_block_and_is_kept() -> None:
    error = ValueError("no such frame")
    with Captured() as attempt:
        raise error
    assert attempt.error is error
    assert attempt.reason == "no such frame"


def test_a_block_that_ends_leaves_no_error() -> None:
    with Captured() as attempt:
        pass
    assert attempt.error is None
    assert attempt.reason == ""


def test_exceptions_that_are_to_pass_are_raised() -> None:
    with pytest.raises(FileNotFoundError), Captured(OSError, KeyError) as attempt:
        raise FileNotFoundError
    assert attempt.error is None


@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_or_the_task_is_raised(error: type[BaseException]) -> None:
    with pytest.raises(error), Captured():
        raise error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("two\nlines  here"), "two lines here"),
        (KeyError(), "KeyError"),
        (FileNotFoundError(2, "No such file or directory", "x"), "No such file or directory"),
    ],
)
def test_a_failure_is_one_line_of_text(error: Exception, text: str) -> None:
    assert failure_text(error) == text


def test_an_inference_worker_loads_no_event_loop() -> None:
    """Each worker process would take the memory and the time that importing it takes."""
    code = "import sys, sidecar.inference.worker; print('asyncio' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
