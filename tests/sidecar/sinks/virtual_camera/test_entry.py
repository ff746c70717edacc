"""Addresses of virtual cameras, with and without the package."""

import pytest

from config.errors import ConfigError
from sidecar.rooms.memory import MemoryRoom
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.virtual_camera.entry import camera_sink


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("camera:?backend=obs", "names no camera"),
        ("camera://dev/video10", "names no camera"),
        ("camera:/dev/video10#fps=25", "unknown option 'fps'"),
    ],
)
def test_an_address_of_which_a_part_would_count_for_nothing_is_refused(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        camera_sink(url, SinkOptions(MemoryRoom()))
    assert said in str(caught.value)
