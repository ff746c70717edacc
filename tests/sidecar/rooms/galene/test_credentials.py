"""Who the sidecar says it is."""

import pytest

from config.errors import ConfigError
from sidecar.rooms.galene.credentials import Credentials, read_credentials


def test_the_name_that_was_chosen_is_used_without_a_password() -> None:
    assert read_credentials("Reactions", {}, "").fields() == {
        "username": "Reactions",
        "password": "",
    }


def test_the_environment_gives_name_and_password() -> None:
    environ = {"GALENE_USERNAME": "bot", "GALENE_PASSWORD": "s3cret"}
    credentials = read_credentials("Reactions", environ, "")
    assert credentials.fields() == {"username": "bot", "password": "s3cret"}
    assert credentials.secret


def test_the_token_of_a_pasted_invitation_goes_before_the_environment() -> None:
    credentials = read_credentials("Reactions", {"GALENE_TOKEN": "other"}, "pasted")
    assert credentials.fields() == {"username": "Reactions", "token": "pasted"}


def test_both_a_token_and_a_password_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="both") as refusal:
        read_credentials("Reactions", {"GALENE_TOKEN": "t0ken", "GALENE_PASSWORD": "s3cret"}, "")
    assert "s3cret" not in str(refusal.value)
    assert "t0ken" not in str(refusal.value)


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(Credentials("Ada", password="s3cret", token="s3cret"))
