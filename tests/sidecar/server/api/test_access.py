"""Who may call the API, by the settings."""

from pathlib import Path

import pytest

from config.errors import ConfigError, UnauthorizedError
from config.settings import Settings
from sidecar.server.api.access import authenticate
from sidecar.server.api.tokens import EVERYTHING, TOKEN_VARIABLE, Scope

TOKEN = "a-token-that-is-long-enough"
OTHER = "another-token-that-is-long"


async def test_a_token_is_made_where_none_is_given() -> None:
    authenticator, made = authenticate(Settings(), {})
    assert made is not None
    assert (await authenticator.caller(made)).scopes == EVERYTHING
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(TOKEN)


async def test_the_token_of_the_environment_has_every_scope() -> None:
    authenticator, made = authenticate(Settings(), {TOKEN_VARIABLE: TOKEN})
    assert made is None
    assert (await authenticator.caller(TOKEN)).scopes == EVERYTHING


async def test_the_file_of_the_command_line_is_in_place_of_that_of_the_settings(
    tmp_path: Path,
) -> None:
    wanted, given = tmp_path / "settings", tmp_path / "command"
    wanted.write_text(f"{OTHER}\n")
    given.write_text(f"{TOKEN} metrics\n")
    authenticator, made = authenticate(Settings(serve={"token_file": wanted}), {}, given)
    assert made is None
    assert (await authenticator.caller(TOKEN)).scopes == {Scope.METRICS}
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(OTHER)


def test_no_token_is_needed_on_loopback_alone() -> None:
    for host in ("127.0.0.1", "::1"):
        settings = Settings(serve={"auth": "none"}, server={"host": host})
        authenticator, made = authenticate(settings, {})
        assert authenticator.open
        assert made is None
    for host in ("0.0.0.0", "192.0.2.1", "no-such-host.invalid"):
        settings = Settings(serve={"auth": "none"}, server={"host": host})
        with pytest.raises(ConfigError, match="no token on an address of the network"):
            authenticate(settings, {})
