import pytest

from config.errors import ConfigError
from sidecar.server.hosts import TrustedProxies, client_key, is_ours, own_names

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


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "198.51.100.7, 10.1.1.1", "198.51.100.7"),
        ("10.0.0.2", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.2", "", ""),
        ("10.0.0.2", "unknown", ""),
        ("10.0.0.2", "10.0.0.3", ""),
        ("::ffff:10.0.0.2", "198.51.100.7", "198.51.100.7"),
    ],
)
def test_only_a_trusted_proxy_names_its_client(peer: str, forwarded: str, client: str) -> None:
    assert TrustedProxies(["10.0.0.0/8"]).client(peer, forwarded) == client


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, key: str) -> None:
    assert client_key(address) == key


def test_a_malformed_origin_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"server\.origins: 'http://\[x"):
        own_names("", ["https://meet.example", "http://[x"])
