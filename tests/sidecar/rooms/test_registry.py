from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import aiohttp
import pytest

from config.errors import ConfigError
from sidecar.rooms import registry
from sidecar.rooms.base import GROUP, JoinOptions, Room
from sidecar.rooms.registry import adapters, find_adapter


@dataclass(frozen=True)
class PrefixAdapter:
    """Takes every address with its prefix."""

    system: str
    prefix: str
    confirmed: bool | Exception = True

    @property
    def forms(self) -> Sequence[str]:
        return (f"{self.prefix}…",)

    def recognises(self, url: str) -> bool:
        return url.startswith(self.prefix)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        if isinstance(self.confirmed, Exception):
            raise self.confirmed
        return self.confirmed

    def room(self, url: str, options: JoinOptions) -> Room:
        raise NotImplementedError


async def test_an_address_goes_to_the_system_that_knows_it() -> None:
    one, two = PrefixAdapter("One", "one://"), PrefixAdapter("Two", "two://")
    assert await find_adapter("two://host/room", [one, two]) is two


async def test_where_addresses_look_the_same_the_server_is_asked() -> None:
    wrong = PrefixAdapter("Wrong", "https://", confirmed=False)
    broken = PrefixAdapter("Broken", "https://", confirmed=aiohttp.ClientError("down"))
    right = PrefixAdapter("Right", "https://")
    assert await find_adapter("https://host/room", [wrong, broken, right]) is right


async def test_no_confirmation_is_reported_with_the_systems_that_were_asked() -> None:
    wrong = [PrefixAdapter(name, "https://", confirmed=False) for name in ("One", "Two")]
    with pytest.raises(ConfigError, match=r"https://host/room: may be a room of One or Two"):
        await find_adapter("https://host/room", wrong)


async def test_an_unknown_address_is_reported_with_the_known_forms() -> None:
    with pytest.raises(ConfigError, match=r"ftp://host/x: no meeting system .*\(one://…\)"):
        await find_adapter("ftp://host/x?token=secret", [PrefixAdapter("One", "one://")])


def test_every_system_that_we_ship_is_found() -> None:
    assert {adapter.system for adapter in adapters()} >= {"LiveKit", "Janus", "Galène"}


def test_an_adapter_that_can_t_be_loaded_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("broken", "sidecar.rooms.no_such_module:ADAPTER", GROUP),
        EntryPoint("fine", "tests.sidecar.rooms.test_registry:FINE", GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert adapters() == [FINE]


FINE = PrefixAdapter("Fine", "fine://")
