import os
import subprocess
import sys

import pytest

from reactions.landmarks.stderr_filter import without_notices


def test_notices_are_dropped_and_everything_else_comes_out(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with without_notices():
        os.write(2, b"INFO: a delegate was made\nsomething went wrong\n")
    os.write(2, b"INFO: said outside\n")
    assert capfd.readouterr().err == "something went wrong\nINFO: said outside\n"


def fail_to_load() -> None:
    with without_notices():
        os.write(2, b"reason\n")
        raise ValueError("broken")


def test_what_is_written_comes_out_although_loading_fails(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="broken"):
        fail_to_load()
    assert capfd.readouterr().err == "reason\n"


_DETACHED = """
import os
os.close(2)
from reactions.landmarks.stderr_filter import without_notices
with without_notices():
    print("loaded")
"""


def test_a_process_without_standard_error_still_loads() -> None:
    command = [sys.executable, "-c", _DETACHED]
    assert subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout == b"loaded\n"
