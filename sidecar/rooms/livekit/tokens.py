"""Who we are to a LiveKit server: tokens given to us, or made with the server's key. Pure but for
the clock that is passed in."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import jwt
from jwt.warnings import InsecureKeyLengthWarning

from config.errors import ConfigError
from sidecar.rooms.livekit.url import LiveKitUrl

KEY: Final = "LIVEKIT_API_KEY"
SECRET: Final = "LIVEKIT_API_SECRET"  # noqa: S105
TOKEN: Final = "LIVEKIT_TOKEN"  # noqa: S105
IDENTITY_SUFFIX: Final = "LIVEKIT_IDENTITY"
"""The end of our identities in place of a random one. Of two sidecars with the same one the server
keeps the newer: that is how a dispatched room has one at a time."""

VALID_FOR: Final = 600
"""Seconds. A token is needed for joining alone; each rejoin makes a new one."""
SKEW: Final = 30
"""Seconds that the server's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a token lets its bearer do, read without checking the signature: the server does."""

    room: str
    identity: str
    subscribe: bool
    publish: bool
    publish_data: bool
    hidden: bool
    expires: float | None
    """Seconds since 1970."""

    @property
    def shows(self) -> bool:
        """Whether others see what its bearer publishes: no client shows a hidden one's."""
        return self.publish and not self.hidden


@dataclass(frozen=True, slots=True)
class GivenToken:
    """One token for one participant, who does what it allows."""

    token: str = field(repr=False)
    grants: Grants


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The server's API key and secret, with which any number of tokens can be made."""

    key: str
    secret: str = field(repr=False)

    def worker(self, now: float) -> str:
        """A token for a worker, to which the server dispatches jobs."""
        return self._sign("", "", {"agent": True}, now)

    def lister(self, now: float) -> str:
        """A token that lists the server's rooms."""
        return self._sign("", "", {"roomList": True}, now)

    def admin(self, room: str, now: float) -> str:
        """A token that administers ``room``: its participants and dispatches."""
        return self._sign("", "", {"roomAdmin": True, "room": room}, now)

    def watcher(self, room: str, identity: str, now: float, *, beats: bool = False) -> str:
        """A token for a hidden participant who only subscribes.

        With ``beats`` it may change its own attributes, which say that it lives.
        """
        video: dict[str, object] = {
            "roomJoin": True,
            "room": room,
            "hidden": True,
            "canSubscribe": True,
            "canPublish": False,
            "canPublishData": False,
        }
        if beats:
            video["canUpdateOwnMetadata"] = True
        return self._sign(identity, "", video, now)

    def publisher(self, room: str, identity: str, name: str, now: float) -> str:
        """A token for a visible participant who only publishes."""
        video = {
            "roomJoin": True,
            "room": room,
            "canSubscribe": False,
            "canPublish": True,
            "canPublishData": True,
        }
        return self._sign(identity, name, video, now)

    def _sign(self, identity: str, name: str, video: Mapping[str, object], now: float) -> str:
        claims = {
            "iss": self.key,
            "sub": identity,
            "name": name,
            # An agent neither keeps an empty room open nor takes up one of its places.
            "kind": "agent",
            "nbf": int(now) - SKEW,
            "exp": int(now) + VALID_FOR,
            "video": video,
        }
        with warnings.catch_warnings():
            # How long a secret is good enough is for its operator to decide: its own `--dev` mode
            # has one of six characters.
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            return jwt.encode(claims, self.secret, algorithm="HS256")


def access_from(address: LiveKitUrl, environ: Mapping[str, str]) -> KeyPair | GivenToken:
    """How to get into the room at ``address``.

    A token in the address goes before one in the environment, and that before key and secret, as
    the more special before the more general. Raises ConfigError where there is neither.
    """
    if token := address.token or environ.get(TOKEN, "").strip():
        where = "the link's token" if address.token else TOKEN
        grants = read_grants(token, where)
        if address.room and grants.room not in ("", address.room):
            what = f"it is for the room {grants.room!r}, not {address.room!r}"
            raise ConfigError(what, where=where, do="use a token for this room")
        if not grants.subscribe:
            raise ConfigError(
                "it doesn't let its bearer watch", where=where, do="grant it canSubscribe"
            )
        return GivenToken(token, grants)
    key, secret = environ.get(KEY, "").strip(), environ.get(SECRET, "").strip()
    if not (key and secret):
        missing = " and ".join(name for name, value in ((KEY, key), (SECRET, secret)) if not value)
        raise ConfigError(
            f"{missing} not set",
            where="LiveKit",
            do=f"set {KEY} and {SECRET}, or {TOKEN} for a single participant",
        )
    return KeyPair(key, secret)


def read_grants(token: str, where: str) -> Grants:
    """What ``token`` allows; raises ConfigError (without the token) if it isn't LiveKit's."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError):
        claims = {}
    video = claims.get("video")
    if not isinstance(video, dict) or video.get("roomJoin") is not True:
        raise ConfigError(
            "not a token that lets its bearer join a room",
            where=where,
            do="make one with roomJoin, for instance with `lk token create --join`",
        )
    expires = claims.get("exp")
    publish = video.get("canPublish", True) is True
    publish_data = video.get("canPublishData")
    return Grants(
        room=str(video.get("room", "")),
        identity=str(claims.get("sub", "")),
        subscribe=video.get("canSubscribe", True) is True,
        publish=publish,
        # What isn't said follows the grant to publish.
        publish_data=publish if publish_data is None else publish_data is True,
        hidden=video.get("hidden") is True,
        expires=float(expires) if isinstance(expires, int | float) else None,
    )
