import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from config.errors import ConfigError, ForbiddenError, UnauthorizedError
from sidecar.server.api.tokens import (
    BYTES_CLAIM,
    EVERYTHING,
    RATE_CLAIM,
    Authenticator,
    JwtIssuer,
    Scope,
    bearer,
    environment_tokens,
    make_token,
    read_token_file,
)

TOKEN = "a-token-that-is-long-enough"


def test_a_made_token_is_long_and_new() -> None:
    assert len(make_token()) >= 43
    assert make_token() != make_token()


def test_a_file_gives_each_token_its_scopes(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# operators\n{TOKEN} rooms events\n\nanother-token-of-mine\n")
    first, second = read_token_file(file)
    assert first.caller.scopes == {Scope.ROOMS, Scope.EVENTS}
    assert second.caller.scopes == EVERYTHING


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("short", "at least 16 characters"),
        (f"{TOKEN} everything", "unknown scope"),
        ("", "no token"),
    ],
)
def test_a_wrong_file_is_one_error_without_the_token(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    with pytest.raises(ConfigError, match=what) as error:
        read_token_file(file)
    assert TOKEN not in str(error.value)


def test_a_missing_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        read_token_file(tmp_path / "none")


async def test_the_environment_s_token_may_do_all() -> None:
    authenticator = Authenticator(tuple(environment_tokens({"SIDECAR_API_TOKEN": TOKEN})))
    assert (await authenticator.caller(TOKEN)).scopes == EVERYTHING


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", "a.b.c", "\udcd0.b.c"])
async def test_another_token_is_refused(token: str | None) -> None:
    authenticator = Authenticator(tuple(environment_tokens({"SIDECAR_API_TOKEN": TOKEN})))
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(token)


async def test_a_scope_that_is_not_there_is_forbidden(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{TOKEN} events")
    caller = await Authenticator(tuple(read_token_file(file))).caller(TOKEN)
    caller.require(Scope.EVENTS)
    with pytest.raises(ForbiddenError, match="'rooms'"):
        caller.require(Scope.ROOMS)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        (None, None),
        ("Bearer", None),
    ],
)
def test_the_token_of_a_header(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


class KeySet(jwt.PyJWKClient):
    """A key set that needs no server."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key.public_key()

    def get_signing_key_from_jwt(self, token: str | bytes) -> Any:
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(self._key, as_dict=True)
        return jwt.PyJWK.from_dict({**jwk, "alg": "ES256"})


KEY = ec.generate_private_key(ec.SECP256R1())


def signed(key: ec.EllipticCurvePrivateKey = KEY, /, **claims: object) -> str:
    base: dict[str, object] = {
        "sub": "ops",
        "aud": "sidecar",
        "exp": time.time() + 60,
        "scope": "rooms something-else",
    }
    return jwt.encode(base | claims, key, algorithm="ES256")


async def test_a_signed_jwt_has_the_scopes_that_it_claims() -> None:
    authenticator = Authenticator(issuer=JwtIssuer(KeySet(KEY), "sidecar"))
    caller = await authenticator.caller(signed())
    assert (caller.name, caller.scopes) == ("jwt ops", frozenset({Scope.ROOMS}))


async def test_a_jwt_has_the_limits_that_it_claims_or_those_of_the_settings() -> None:
    issuer = JwtIssuer(KeySet(KEY), "sidecar", rate=5.0, max_bytes=1000)
    caller = await issuer.read(signed())
    assert (caller.rate, caller.max_bytes) == (5.0, 1000)
    caller = await issuer.read(signed(sidecar_rate=0.5, sidecar_bytes=70))
    assert (caller.rate, caller.max_bytes) == (0.5, 70)
    unlimited = await JwtIssuer(KeySet(KEY), "sidecar").read(signed())
    assert (unlimited.rate, unlimited.max_bytes) == (None, None)


@pytest.mark.parametrize("claimed", [0, -1, "5", True, [1], 1e12])
@pytest.mark.parametrize("name", [RATE_CLAIM, BYTES_CLAIM])
async def test_a_jwt_that_claims_no_number_as_its_limit_is_refused(
    name: str, claimed: object
) -> None:
    with pytest.raises(UnauthorizedError, match=name):
        await JwtIssuer(KeySet(KEY), "sidecar").read(signed(**{name: claimed}))


@pytest.mark.parametrize(
    "token",
    [
        signed(exp=time.time() - 60),
        signed(aud="another"),
        signed(ec.generate_private_key(ec.SECP256R1())),
        jwt.encode({"sub": "ops", "aud": "sidecar", "exp": time.time() + 60}, "", algorithm="none"),
        "a.b.c",
    ],
    ids=["expired", "audience", "key", "unsigned", "nonsense"],
)
async def test_a_jwt_that_is_not_valid_is_refused(token: str) -> None:
    authenticator = Authenticator(issuer=JwtIssuer(KeySet(KEY), "sidecar"))
    with pytest.raises(UnauthorizedError, match="JWT is not valid"):
        await authenticator.caller(token)


def test_a_line_may_give_a_token_limits_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{'a' * 16} annotate rate=2.5 bytes=1000\n{'b' * 16} rate=3\n")
    first, second = (known.caller for known in read_token_file(file))
    assert (first.scopes, first.rate, first.max_bytes) == (
        frozenset({Scope.ANNOTATE}),
        2.5,
        1000,
    )
    assert (second.scopes, second.rate, second.max_bytes) == (EVERYTHING, 3.0, None)


@pytest.mark.parametrize("word", ["rate=", "rate=0", "rate=-1", "rate=nan", "bytes=1e9", "x=1"])
def test_a_wrong_limit_is_one_error(tmp_path: Path, word: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{'a' * 16} {word}\n")
    with pytest.raises(ConfigError, match="tokens:1"):
        read_token_file(file)
