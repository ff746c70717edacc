"""How a running command ends."""

import asyncio
import os
import signal

import pytest

from sidecar.cli.signals import run_until_stopped


def test_sigterm_ends_it_cleanly() -> None:
    ended = []

    async def life() -> None:
        try:
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    run_until_stopped(life())
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
            ended.append("said goodbye")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(life())
    assert ended == ["said goodbye", "cut off"]
