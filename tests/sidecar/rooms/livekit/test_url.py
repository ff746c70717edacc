import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.rooms.livekit.url import LiveKitUrl, is_livekit_url, parse_livekit_url


@pytest.mark.parametrize(
    ("url", "server", "room"),
    [
        ("wss://sfu.example#standup", "wss://sfu.example", "standup"),
        ("ws://127.0.0.1:7880#a%20room", "ws://127.0.0.1:7880", "a room"),
        ("wss://sfu.example/base/#r", "wss://sfu.example/base", "r"),
        ("wss://sfu.example/rtc#r", "wss://sfu.example", "r"),
        ("WSS://SFU.example#R", "wss://sfu.example", "R"),
        ("wss://[2001:db8::1]:7880#r", "wss://[2001:db8::1]:7880", "r"),
        ("livekit://sfu.example/standup", "wss://sfu.example", "standup"),
        ("livekit://sfu.example:7880/a%20room/", "wss://sfu.example:7880", "a room"),
        ("livekit://localhost:7880/r", "ws://localhost:7880", "r"),
        ("livekit://127.0.0.1:7880/r", "ws://127.0.0.1:7880", "r"),
        ("livekit://[::1]:7880/r", "ws://[::1]:7880", "r"),
    ],
)
def test_every_form_names_a_server_and_a_room(url: str, server: str, room: str) -> None:
    assert is_livekit_url(url)
    assert parse_livekit_url(url) == LiveKitUrl(server, room)


@pytest.mark.parametrize("scheme", ["wss%3A%2F%2F", "https%3A%2F%2F"])
def test_a_meet_link_names_the_server_and_brings_its_token(scheme: str) -> None:
    url = f"https://meet.example/custom?liveKitUrl={scheme}sfu.example&token=a.b.c"
    address = parse_livekit_url(url)
    assert address == LiveKitUrl("wss://sfu.example", "", "a.b.c")
    assert "a.b.c" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://sfu.example/room",
        "janus://sfu.example/1",
        "wss://sfu.example",
        "recording.mp4",
        "",
        "ws://[broken#r",
    ],
)
def test_other_addresses_are_not_livekits(url: str) -> None:
    assert not is_livekit_url(url)
    with pytest.raises(ConfigError, match="not the address"):
        parse_livekit_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "livekit://sfu.example",
        "livekit:///room",
        "wss://#room",
        "wss://sfu.example:99999#room",
        f"wss://sfu.example#{'r' * 257}",
        "https://meet.example/custom?liveKitUrl=ftp%3A%2F%2Fsfu.example&token=a.secret.token",
        "https://meet.example/custom?liveKitUrl=nonsense&token=a.secret.token",
    ],
)
def test_an_incomplete_address_is_explained_without_its_token(url: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_livekit_url(url)
    assert "secret" not in str(error.value)


@given(st.text())
def test_any_text_is_an_address_or_a_mistake(text: str) -> None:
    for url in (text, f"livekit://{text}", f"wss://{text}", f"https://x/?liveKitUrl={text}"):
        try:
            parse_livekit_url(url)
        except ConfigError:
            continue
        assert is_livekit_url(url)
