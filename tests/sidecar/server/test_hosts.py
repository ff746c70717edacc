import pytest

from sidecar.server.hosts import is_ours, own_names

NAMES = own_names("sidecar.example", ["https://meet.example:8443"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8080",
        "[::1]:8080",
        "192.168.1.5",
        "localhost",
        "LOCALHOST:80",
        "demo.localhost:8080",
        "sidecar.example:8080",
        "Meet.Example.",
    ],
)
def test_our_own_names_are_taken(host: str) -> None:
    assert is_ours(host, NAMES)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", ":80", "[::1", "a b"],
)
def test_names_of_others_are_refused(host: str) -> None:
    assert not is_ours(host, NAMES)
