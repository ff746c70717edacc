"""Group URLs of a Galène server, and the credentials for a group. Pure."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urljoin, urlsplit, urlunsplit

from config.errors import ConfigError, RefusedError

GROUP_URL_FORM: Final = "https://HOST/group/NAME"
MAX_URL: Final = 2048
"""Characters of a group's URL."""
_PREFIX: Final = "/group/"


@dataclass(frozen=True, slots=True)
class GroupUrl:
    """A group's URL, split from its secret: ``url`` may be logged and shown."""

    url: str
    """The group's location: it ends in a slash."""
    token: str = field(default="", repr=False)
    """The token of an invitation link; empty without one."""

    @property
    def status_url(self) -> str:
        """The URL of the group's status, a JSON object."""
        return f"{self.url}.status"

    @property
    def name(self) -> str:
        """The group's name as the URL has it; the server's own spelling may differ."""
        return unquote(urlsplit(self.url).path.removeprefix(_PREFIX).strip("/"))

    @property
    def origin(self) -> tuple[str, str]:
        """Scheme and host with port: the server that may receive the group's credentials."""
        parts = urlsplit(self.url)
        return parts.scheme, parts.netloc


@dataclass(frozen=True, slots=True)
class GroupCredentials:
    """What a client proves its right to join a group with."""

    username: str
    """Shown to every participant: Galène has no hidden participants."""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def secret(self) -> bool:
        """Whether they contain a secret, which belongs to one server."""
        return bool(self.password or self.token)

    def join_fields(self) -> dict[str, str]:
        """The credential fields of a ``join`` message; a token takes precedence over a password."""
        if self.token:
            return {"username": self.username, "token": self.token}
        return {"username": self.username, "password": self.password}


def is_group_url(url: str) -> bool:
    """Whether ``url`` has the form of a group's URL."""
    return _split(url) is not None


def parse_group_url(url: str) -> GroupUrl:
    """The group's URL in ``url``, as users paste it; raises ConfigError where it can't be used."""
    parts = _split(url)
    if parts is None:
        raise ConfigError("not the URL of a Galène group", do=f"paste {GROUP_URL_FORM}")
    clean = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], _folder(parts), "", ""))
    if parts.username or parts.password:
        raise ConfigError(
            "a name or password in the URL is visible to all who see the URL",
            where=clean,
            do="set GALENE_USERNAME and GALENE_PASSWORD instead",
        )
    if not is_confidential(parts.scheme, parts.hostname):
        raise ConfigError(
            "http:// sends passwords and video unencrypted",
            where=clean,
            do=f"use {GROUP_URL_FORM}",
        )
    return GroupUrl(clean, parse_qs(parts.query).get("token", [""])[0])


def read_credentials(name: str, environ: Mapping[str, str], invitation: str) -> GroupCredentials:
    """The credentials from the environment, or from an ``invitation`` link's token.

    ``name`` is the display name, used unless ``GALENE_USERNAME`` is set. Raises ConfigError if both
    a token and a password are given.
    """
    password = environ.get("GALENE_PASSWORD", "")
    token = invitation or environ.get("GALENE_TOKEN", "")
    if token and password:
        raise ConfigError(
            "both a token and GALENE_PASSWORD are given", do="unset GALENE_PASSWORD or the token"
        )
    return GroupCredentials(environ.get("GALENE_USERNAME") or name, password, token)


def resolve_redirect(group: GroupUrl, location: str, credentials: GroupCredentials) -> GroupUrl:
    """The URL that ``location``, a redirect of ``group``, leads to.

    Raises RefusedError where the location is no group's URL, or where it is on another server
    and ``credentials`` contain a secret, which was given for one server.
    """
    try:
        target = parse_group_url(urljoin(group.url, location))
    except (ConfigError, ValueError) as error:
        what = "the group redirects to a URL that can't be used"
        raise RefusedError(what, where=group.url) from error
    if credentials.secret and target.origin != group.origin:
        raise RefusedError(
            "the group redirects to another server",
            where=group.url,
            do=f"paste {target.url} if that server may receive the password or token",
        )
    return GroupUrl(target.url, group.token)


def is_confidential(scheme: str, host: str | None) -> bool:
    """Whether a connection is encrypted, or stays on this machine."""
    if scheme in ("https", "wss"):
        return True
    if scheme not in ("http", "ws") or host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _split(url: str) -> SplitResult | None:
    """The parts of ``url`` if it has the form of a group's URL."""
    try:
        parts = urlsplit(url.strip()) if len(url) <= MAX_URL else urlsplit("")
        _ = parts.port
    except ValueError:
        return None
    named = _folder(parts).removeprefix(_PREFIX).strip("/")
    fits = parts.scheme in ("http", "https") and parts.path.startswith(_PREFIX)
    return parts if fits and parts.hostname and named else None


def _folder(parts: SplitResult) -> str:
    """The path of the group's page, which its files (``.status``, ``.whip``) are below."""
    path = parts.path
    for name in (".status", ".whip"):
        path = path.removesuffix(f"/{name}")
    return path if path.endswith("/") else f"{path}/"
