"""Names of hosted rooms."""

import pytest

from config.errors import ConfigError, RefusedError
from sidecar.supervisor.hosted_names import HostedNames
from sidecar.supervisor.values import RoomRequest

STANDUP = RoomRequest(url="room:standup")


def read(request: RoomRequest) -> str | None:
    if "?" in request.url:
        raise ConfigError("not a room's name")
    return request.url.removeprefix("room:") if request.url.startswith("room:") else None


@pytest.fixture
def names() -> HostedNames:
    return HostedNames(read)


def test_a_name_in_use_is_refused_until_its_room_is_over(names: HostedNames) -> None:
    names.take("standup", "r-1")
    with pytest.raises(RefusedError, match="another room has this name"):
        names.take("standup", "r-2")
    names.free(STANDUP, "r-1")
    names.take("standup", "r-2")


def test_a_room_frees_no_other_s_name(names: HostedNames) -> None:
    names.resume(STANDUP, "r-1")
    names.resume(STANDUP, "r-2")
    names.free(STANDUP, "r-2")
    with pytest.raises(RefusedError):
        names.take("standup", "r-3")


@pytest.mark.parametrize("url", ["wss://sfu.example#room", "room:?"])
def test_rooms_of_other_systems_and_unreadable_ones_have_no_name(
    names: HostedNames, url: str
) -> None:
    request = RoomRequest(url=url)
    names.resume(request, "r-1")
    names.free(request, "r-1")
    assert names.of(request) is None
