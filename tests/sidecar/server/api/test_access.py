"""Who may call the API, by the settings."""

import os
import resource
from concurrent.futures import ThreadPoolExecutor
from errno import EPERM
from pathlib import Path

import pytest

from config.errors import ConfigError, UnauthorizedError
from config.settings import Settings
from sidecar.server.api.access import authenticate, read_made_token
from sidecar.server.api.tokens import EVERYTHING, TOKEN_VARIABLE, Scope

TOKEN = "a-token-that-is-long-enough"
OTHER = "another-token-that-is-long"


async def test_a_token_is_made_where_none_is_given() -> None:
    access = authenticate(Settings(), {})
    made = access.shown.removeprefix("Token: ")
    assert (await access.authenticator.caller(made)).scopes == EVERYTHING
    with pytest.raises(UnauthorizedError):
        await access.authenticator.caller(TOKEN)


async def test_a_token_that_must_not_be_shown_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / "token"
    access = authenticate(Settings(), {}, made_file=file)
    made = file.read_text().strip()
    assert made not in access.shown
    assert str(file) in access.shown
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    later = authenticate(Settings(), {}, made_file=file)
    for one in (access, later):
        assert (await one.authenticator.caller(made)).scopes == EVERYTHING


def test_a_token_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read this token"):
        authenticate(Settings(), {}, made_file=file)


def test_a_token_that_can_t_be_kept_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(ConfigError, match="can't be kept") as refused:
        authenticate(Settings(), {}, made_file=tmp_path / "data" / "token")
    assert TOKEN_VARIABLE in refused.value.do


def test_a_full_disk_leaves_no_half_token_behind(tmp_path: Path) -> None:
    file = tmp_path / "data" / "token"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(ConfigError, match="can't be kept"):
            authenticate(Settings(), {}, made_file=file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(file.parent.iterdir()) == []
    authenticate(Settings(), {}, made_file=file)
    assert list(file.parent.iterdir()) == [file]


def test_an_empty_file_of_a_killed_start_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch(0o644)
    authenticate(Settings(), {}, made_file=file)
    assert len(file.read_text()) > 24
    assert file.stat().st_mode & 0o777 == 0o600


def test_two_starts_at_once_have_one_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read_made_token, [file] * 16))
    assert all(one == found[0] for one in found)


def test_a_file_system_without_hard_links_keeps_the_token_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(EPERM, os.strerror(EPERM))

    monkeypatch.setattr(os, "link", refuse)
    found = read_made_token(tmp_path / "token")
    assert read_made_token(tmp_path / "token") == found


def test_no_token_is_made_where_one_is_given(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert authenticate(Settings(), {TOKEN_VARIABLE: TOKEN}, made_file=file).shown == ""
    assert not file.exists()


async def test_the_token_of_the_environment_has_every_scope() -> None:
    access = authenticate(Settings(), {TOKEN_VARIABLE: TOKEN})
    assert (await access.authenticator.caller(TOKEN)).scopes == EVERYTHING


async def test_the_file_of_the_command_line_is_in_place_of_that_of_the_settings(
    tmp_path: Path,
) -> None:
    wanted, given = tmp_path / "settings", tmp_path / "command"
    wanted.write_text(f"{OTHER}\n")
    given.write_text(f"{TOKEN} metrics\n")
    access = authenticate(Settings(serve={"token_file": wanted}), {}, given)
    assert (await access.authenticator.caller(TOKEN)).scopes == {Scope.METRICS}
    with pytest.raises(UnauthorizedError):
        await access.authenticator.caller(OTHER)


def test_no_token_is_needed_on_loopback_alone() -> None:
    for host in ("127.0.0.1", "::1"):
        settings = Settings(serve={"auth": "none"}, server={"host": host})
        access = authenticate(settings, {})
        assert access.authenticator.open
        assert access.shown == ""
    for host in ("0.0.0.0", "192.0.2.1", "no-such-host.invalid"):
        settings = Settings(serve={"auth": "none"}, server={"host": host})
        with pytest.raises(ConfigError, match="no token on an address of the network"):
            authenticate(settings, {})
