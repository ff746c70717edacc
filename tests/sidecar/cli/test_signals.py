"""How a running command ends."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from sidecar.cli.signals import run_until_stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    ended = []

    async def life() -> None:
        try:
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
            await asyncio.sleep(60)
            ended.append("slept")
        finally:
            ended.append("cleaned up")

    before = signal.signal(number, signal.SIG_DFL)
    try:
        run_until_stopped(life())
    finally:
        signal.signal(number, before)
    assert ended == ["cleaned up"]


def test_interrupt_cleans_up_and_is_passed_on() -> None:
    ended = []

    async def life() -> None:
        try:
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(life())
    assert ended == ["cleaned up"]


def test_what_goes_wrong_is_passed_on() -> None:
    async def life() -> None:
        raise ValueError("port taken")

    with pytest.raises(ValueError, match="port taken"):
        run_until_stopped(life())


def test_interrupt_lets_what_ends_end_in_its_own_order() -> None:
    ended = []

    async def connection() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cut off")
            raise

    async def life() -> None:
        task = asyncio.create_task(connection())
        try:
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append("closed")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(life())
    assert ended == ["closed", "cut off"]


_COMMAND = """
import asyncio, sys
from sidecar.cli.signals import run_until_stopped
async def life():
    try:
        print("runs", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(line.strip(), flush=True)
        await asyncio.sleep(60)
    finally:
        print("cleaned up", flush=True)
run_until_stopped(life())
"""


def test_ignored_when_it_started_stays_ignored_but_sigterm_ends_it() -> None:
    """As under ``nohup``, in the background of a script, or in a service."""
    ignored = (signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in ignored]
    try:
        command = [sys.executable, "-c", _COMMAND]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
    finally:
        for number, handler in zip(ignored, before, strict=True):
            signal.signal(number, handler)
    with process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "runs\n"
        for number in ignored:
            process.send_signal(number)
            process.stdin.write("still here\n")
            assert process.stdout.readline() == "still here\n"
        process.stdin.close()
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "cleaned up\n"
    assert process.returncode == 0
