"""Addresses of Galène's groups. Pure: text in, text out."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urljoin, urlsplit, urlunsplit

from config.errors import ConfigError, RefusedError

FORM: Final = "https://HOST/group/NAME"
MAX_URL: Final = 2048
_PREFIX: Final = "/group/"


@dataclass(frozen=True, slots=True)
class Address:
    """A group's address, without anything secret: ``url`` may be shown."""

    url: str
    """The group's location: it ends in a slash."""
    token: str = field(default="", repr=False)
    """What an invitation link brings along."""

    @property
    def status(self) -> str:
        """Where the server tells about the group."""
        return f"{self.url}.status"

    @property
    def name(self) -> str:
        """The group's name, as far as the address tells it."""
        return unquote(urlsplit(self.url).path.removeprefix(_PREFIX).strip("/"))

    @property
    def origin(self) -> tuple[str, str]:
        """Scheme and host with port: to whom credentials for the group may be told."""
        parts = urlsplit(self.url)
        return parts.scheme, parts.netloc


def looks_like_group(url: str) -> bool:
    """Whether ``url`` may be a group's address."""
    return _split(url) is not None


def read_address(url: str) -> Address:
    """The address in ``url``, as people paste it; raises ConfigError where it can't be used."""
    parts = _split(url)
    if parts is None:
        raise ConfigError("not the address of a group of Galène", do=f"paste {FORM}")
    clean = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], _folder(parts), "", ""))
    if parts.username or parts.password:
        raise ConfigError(
            "a name or password in the address would be seen by everybody who sees it",
            where=clean,
            do="set GALENE_USERNAME and GALENE_PASSWORD instead",
        )
    if not is_private(parts.scheme, parts.hostname):
        raise ConfigError(
            "http:// would send passwords and pictures in the clear", where=clean, do=f"use {FORM}"
        )
    return Address(clean, parse_qs(parts.query).get("token", [""])[0])


def follow(address: Address, location: str) -> Address:
    """Where ``location``, a redirect of ``address``, leads; raises RefusedError if nowhere."""
    try:
        there = read_address(urljoin(address.url, location))
    except (ConfigError, ValueError) as error:
        what = "the group was moved to an address that can't be used"
        raise RefusedError(what, where=address.url) from error
    return Address(there.url, address.token)


def is_private(scheme: str, host: str | None) -> bool:
    """Whether what is sent there is encrypted, or never leaves this machine."""
    if scheme in ("https", "wss"):
        return True
    if scheme not in ("http", "ws") or host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _split(url: str) -> SplitResult | None:
    """The parts of ``url`` if it looks like a group's."""
    try:
        parts = urlsplit(url.strip()) if len(url) <= MAX_URL else urlsplit("")
        _ = parts.port
    except ValueError:
        return None
    named = _folder(parts).removeprefix(_PREFIX).strip("/")
    fits = parts.scheme in ("http", "https") and parts.path.startswith(_PREFIX)
    return parts if fits and parts.hostname and named else None


def _folder(parts: SplitResult) -> str:
    """The path of the group's page, which its files (``.status``, ``.whip``) stand below."""
    path = parts.path
    for name in (".status", ".whip"):
        path = path.removesuffix(f"/{name}")
    return path if path.endswith("/") else f"{path}/"
