import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import ModelError
from reactions.landmarks.lock import locked

_HOLD = """
import sys, pathlib
from reactions.landmarks.lock import locked
with locked(pathlib.Path(sys.argv[1]), timeout=5):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_waited_for_until_the_limit(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ModelError, match="another process"), locked(path, timeout=0):
            pass
        other.kill()
        other.wait()
        with locked(path, timeout=5):  # freed by the death of its holder
            pass
