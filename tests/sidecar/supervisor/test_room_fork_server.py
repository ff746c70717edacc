"""What a process that was forked for a room has of its own."""

import inspect

from aiohttp.http_websocket import WebSocketWriter

from sidecar.supervisor.room_fork_server import own_generators


def test_generators_of_random_numbers_that_libraries_made_are_found_to_be_seeded_again() -> None:
    masks = inspect.signature(WebSocketWriter.__init__).parameters["random"].default
    assert any(one is masks for one in own_generators())
