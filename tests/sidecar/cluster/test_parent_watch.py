import os
import signal
import subprocess
import sys

import psutil

CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", '''
import time
from sidecar.cluster.parent_watch import end_with_parent
end_with_parent()
print("ready", flush=True)
time.sleep(60)
'''])
print(child.pid, flush=True)
child.wait()
"""


def test_a_process_whose_parent_is_killed_ends() -> None:
    parent = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert parent.stdout.readline() == "ready\n"
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs([child], 10)
    assert not alive
