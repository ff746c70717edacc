"""Which URLs are groups, what is read from them, and who may get the credentials."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError, RefusedError
from sidecar.rooms.galene.url import (
    GroupCredentials,
    GroupUrl,
    is_group_url,
    parse_group_url,
    read_credentials,
    resolve_redirect,
)

WITHOUT_SECRET = GroupCredentials("Reactions")


@pytest.mark.parametrize(
    ("pasted", "url", "name"),
    [
        ("https://galene.example/group/room", "https://galene.example/group/room/", "room"),
        ("https://galene.example/group/room/", "https://galene.example/group/room/", "room"),
        ("https://g.example:8443/group/a/b/", "https://g.example:8443/group/a/b/", "a/b"),
        ("https://g.example/group/room/#x", "https://g.example/group/room/", "room"),
        ("https://g.example/group/room/.status", "https://g.example/group/room/", "room"),
        ("https://g.example/group/caf%C3%A9/", "https://g.example/group/caf%C3%A9/", "café"),
        ("http://127.0.0.1:8443/group/room", "http://127.0.0.1:8443/group/room/", "room"),
        ("http://[::1]:8443/group/room", "http://[::1]:8443/group/room/", "room"),
        ("http://localhost/group/room", "http://localhost/group/room/", "room"),
        (" https://g.example/group/room\n", "https://g.example/group/room/", "room"),
    ],
)
def test_a_group_is_read(pasted: str, url: str, name: str) -> None:
    assert is_group_url(pasted)
    address = parse_group_url(pasted)
    assert (address.url, address.name, address.token) == (url, name, "")
    assert address.status_url == f"{url}.status"


@pytest.mark.parametrize(
    "other",
    [
        "https://example.org/",
        "https://example.org/group/",
        "https://example.org/rooms/one",
        "wss://example.org/group/room",
        "galene://example.org/group/room",
        "https:///group/room",
        "https://example.org:port/group/room",
        "https://[::1/group/room",
        "room",
        "https://example.org/group/" + "x" * 3000,
    ],
)
def test_other_addresses_are_not(other: str) -> None:
    assert not is_group_url(other)
    with pytest.raises(ConfigError):
        parse_group_url(other)


def test_an_invitation_gives_its_token_and_shows_it_nowhere() -> None:
    address = parse_group_url("https://g.example/group/room/?token=s3cret&x=1")
    assert address.token == "s3cret"
    assert "s3cret" not in repr(address) + address.url + address.status_url


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="GALENE_PASSWORD") as refusal:
        parse_group_url("https://ada:s3cret@g.example/group/room")
    assert "s3cret" not in str(refusal.value)


def test_http_is_refused_but_for_this_machine() -> None:
    with pytest.raises(ConfigError, match="https"):
        parse_group_url("http://g.example/group/room")


def test_a_redirect_is_followed_with_the_token_of_the_link() -> None:
    group = GroupUrl("https://g.example/group/old/", "t0ken")
    invited = GroupCredentials("Ada", token="t0ken")
    target = resolve_redirect(group, "/group/new/", invited)
    assert target == GroupUrl("https://g.example/group/new/", "t0ken")


@pytest.mark.parametrize("location", ["/", "http://g.example/group/x", "mailto:x", "https://["])
def test_a_redirect_to_no_group_is_refused(location: str) -> None:
    with pytest.raises(RefusedError, match="redirects"):
        resolve_redirect(GroupUrl("https://g.example/group/old/"), location, WITHOUT_SECRET)


@pytest.mark.parametrize(
    "secret", [{"password": "s3cret"}, {"token": "s3cret"}], ids=["password", "token"]
)
@pytest.mark.parametrize(
    "location", ["https://h.example/group/x/", "https://g.example:444/group/x/", "//h/group/x/"]
)
def test_a_secret_is_not_sent_to_another_server(secret: dict[str, str], location: str) -> None:
    group = GroupUrl("https://g.example/group/old/", secret.get("token", ""))
    with pytest.raises(RefusedError, match="another server") as refusal:
        resolve_redirect(group, location, GroupCredentials("Ada", **secret))
    assert "s3cret" not in str(refusal.value)


def test_without_a_secret_another_server_is_followed() -> None:
    group = GroupUrl("https://g.example/group/old/")
    target = resolve_redirect(group, "https://h.example/group/x", WITHOUT_SECRET)
    assert target.url == "https://h.example/group/x/"


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    for url in (text, f"https://{text}", f"https://h/group/{text}", f"https://h{text}/group/x"):
        if is_group_url(url):
            with contextlib.suppress(ConfigError):
                assert is_group_url(parse_group_url(url).url)


def test_the_display_name_is_used_without_a_password() -> None:
    assert read_credentials("Reactions", {}, "").join_fields() == {
        "username": "Reactions",
        "password": "",
    }


def test_the_environment_gives_name_and_password() -> None:
    environ = {"GALENE_USERNAME": "bot", "GALENE_PASSWORD": "s3cret"}
    credentials = read_credentials("Reactions", environ, "")
    assert credentials.join_fields() == {"username": "bot", "password": "s3cret"}
    assert credentials.secret


def test_the_token_of_a_pasted_invitation_goes_before_the_environment() -> None:
    credentials = read_credentials("Reactions", {"GALENE_TOKEN": "other"}, "pasted")
    assert credentials.join_fields() == {"username": "Reactions", "token": "pasted"}


def test_both_a_token_and_a_password_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="both") as refusal:
        read_credentials("Reactions", {"GALENE_TOKEN": "t0ken", "GALENE_PASSWORD": "s3cret"}, "")
    assert "s3cret" not in str(refusal.value)
    assert "t0ken" not in str(refusal.value)


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(GroupCredentials("Ada", password="s3cret", token="s3cret"))
