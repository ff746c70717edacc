"""Secrets in addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.redaction import printable, redact, shown_url

SECRET = "Pa55-w0rd"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://host:443#room", "wss://host:443#room"),
        ("janus://user:secret@host/5?pin=1234", "janus://host/5"),
        ("https://host/group/a/?token=secret", "https://host/group/a/"),
        ("https://host/@name/room", "https://host/@name/room"),
        ("http://[2001:db8::1]:8080/rooms/a", "http://[2001:db8::1]:8080/rooms/a"),
        ("clips/ada.mp4", "clips/ada.mp4"),
        ("/home/a@b/clip.mp4", "/home/a@b/clip.mp4"),
        ("turn:host:3478?transport=udp", "turn:host:3478?transport=udp"),
        ("turn:host:3478?secret", "turn:host:3478"),
    ],
)
def test_what_is_no_secret_is_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


FORMS = [
    "https://u:{}@h/whip",
    "https://{}@h/whip",
    "https:/u:{}@h",
    "https//u:{}@h",
    "u:{}@h/path",
    "turn:u:{}@x",
    "turns:u:{}@x:443?transport=tcp",
    "https://h/p?token={}",
    "https://h/p#access_token={}",
    "https://h/p#{}",
    "wss://h#token={}",
    "https://u:{}",
    "https://u:a/{}@h/x",
    "https://u:a#{}@h/x",
    "https://u:a?{}@h/x",
    "https://u:a@{}@h/x",
    "rtsp://admin:{}@cam/1",
    "janus+wss://h/5?pin={}",
]


@pytest.mark.parametrize("form", FORMS)
def test_secrets_are_not_shown_even_of_mistyped_addresses(form: str) -> None:
    shown = shown_url(form.format(SECRET))
    assert SECRET not in shown
    assert "h" in shown or "x" in shown or "cam" in shown or "u" in shown


_UNRESERVED = st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=%", min_size=12, max_size=40
)


@given(_UNRESERVED, st.sampled_from(FORMS[:4] + FORMS[5:12] + FORMS[16:]))
def test_no_password_or_token_is_ever_shown(secret: str, form: str) -> None:
    assert secret not in shown_url(form.format(secret))


@given(st.text())
def test_any_text_is_short_and_printable(text: str) -> None:
    shown = shown_url(text)
    assert len(shown) <= 200
    assert not set(shown) & set("\x1b\r\n\x00\u202e")


@pytest.mark.parametrize(
    "line",
    [
        "GET https://u:{}@h/x failed",
        "Cannot connect to http://h/x?access_token={}&a=1",
        "Authorization: Bearer {}",
        "url='janus://h/5?pin={}'",
    ],
)
def test_lines_are_logged_without_secrets(line: str) -> None:
    redacted = redact(line.format(SECRET))
    assert SECRET not in redacted
    assert line[:5] in redacted


KINDS = [
    "https", "http", "wss", "ws", "whip+https", "whep+http", "janus", "janus+wss", "janus+https",
    "livekit", "rtsp", "rtsps", "turn", "turns", "stun", "mqtt", "mqtts",
]  # fmt: skip
"""Schemes of the addresses that users give, or servers name."""
PARTS = [
    "{scheme}//user:{secret}@host.example/path",
    "{scheme}//{secret}@host.example",
    "{scheme}//user:{secret}@host.example:443/path?x=1",
    "{scheme}//user:a/{secret}@host.example/path",
    "{scheme}//host.example/path?token={secret}",
    "{scheme}//host.example/path?anything={secret}&x=1",
    "{scheme}//host.example/path#access_token={secret}",
    "{scheme}//host.example/path#a/{secret}",
    "{scheme}/user:{secret}@host.example",
    "{scheme}//user:{secret}",
]
TEXTS = [
    "{}",
    "can't connect to {}: refused",
    "GET '{}' failed",
    '{{"url": "{}"}}',
    "({}), and more",
    "ClientError(URL('{}'))",
]


@given(_UNRESERVED, st.sampled_from(KINDS), st.sampled_from(PARTS), st.sampled_from(TEXTS))
def test_no_part_of_any_kind_of_address_shows_a_secret_in_any_text(
    secret: str, kind: str, part: str, text: str
) -> None:
    secret = secret.replace("'", "").rstrip(").,;!:") + "Z9"
    url = part.format(scheme=f"{kind}:", secret=secret)
    assert secret not in redact(text.format(url))
    assert secret not in printable(text.format(url))
    assert secret not in shown_url(url)


@pytest.mark.parametrize(
    "form", ["turn:u:{}@x", "turns:u:{}@x:443", "u:{}@host/path", "https//u:{}@h"]
)
@pytest.mark.parametrize("text", TEXTS)
def test_addresses_without_slashes_show_no_secret(form: str, text: str) -> None:
    assert SECRET not in redact(text.format(form.format(SECRET)))


def test_fields_of_json_show_no_secret() -> None:
    line = redact(f'{{"username": "ada", "password": "{SECRET}", \'token\': \'{SECRET}\'}}')
    assert SECRET not in line
    assert "ada" in line


@pytest.mark.parametrize(
    "line",
    [
        "connection lost: [Errno 104] 10.0.0.1:443 reset by peer, a@b, x=1",
        "room=janus+ws://127.0.0.1:8188/1234: the server is silent",
        "give whip+https://HOST/PATH, or wss://HOST#ROOM.",
        "no TURN server gives us an address: turn:turn.example:3478?transport=tcp",
        "reason: stun: no answer",
        "file:///tmp/a@b.mp4 can't be read",
        "https://host/@name/room (check the address)",
    ],
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert redact(line) == line
