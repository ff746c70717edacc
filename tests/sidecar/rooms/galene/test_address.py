"""Which addresses are groups, and what is read from them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError, RefusedError
from sidecar.rooms.galene.address import Address, follow, looks_like_group, read_address


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
    assert looks_like_group(pasted)
    address = read_address(pasted)
    assert (address.url, address.name, address.token) == (url, name, "")
    assert address.status == f"{url}.status"


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
    assert not looks_like_group(other)
    with pytest.raises(ConfigError):
        read_address(other)


def test_an_invitation_gives_its_token_and_shows_it_nowhere() -> None:
    address = read_address("https://g.example/group/room/?token=s3cret&x=1")
    assert address.token == "s3cret"
    assert "s3cret" not in repr(address) + address.url + address.status


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="GALENE_PASSWORD") as refusal:
        read_address("https://ada:s3cret@g.example/group/room")
    assert "s3cret" not in str(refusal.value)


def test_http_is_for_this_machine_alone() -> None:
    with pytest.raises(ConfigError, match="https"):
        read_address("http://g.example/group/room")


def test_a_redirect_is_followed_with_the_token() -> None:
    address = Address("https://g.example/group/old/", "s3cret")
    assert follow(address, "/group/new/").url == "https://g.example/group/new/"
    assert follow(address, "https://h.example/group/new") == Address(
        "https://h.example/group/new/", "s3cret"
    )


@pytest.mark.parametrize("location", ["", "/", "http://g.example/group/x", "mailto:x", "https://["])
def test_a_redirect_to_nowhere_is_a_refusal(location: str) -> None:
    with pytest.raises(RefusedError, match="moved"):
        follow(Address("https://g.example/group/old/"), location or "/nowhere")


@given(st.text())
def test_whatever_is_pasted_never_breaks(text: str) -> None:
    for url in (text, f"https://{text}", f"https://h/group/{text}", f"https://h{text}/group/x"):
        if looks_like_group(url):
            with contextlib.suppress(ConfigError):
                assert looks_like_group(read_address(url).url)
