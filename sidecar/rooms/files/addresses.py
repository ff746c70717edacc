"""Parse what a user names in place of a meeting: clips, webcams, network cameras. Pure.

Paths are taken as they stand: ``#``, commas and spaces are part of a file's name. Several cameras
are separated by commas or spaces, which only count where another camera's scheme follows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

from config.errors import ConfigError
from sidecar.redaction import shown_url
from sidecar.rooms.display_names import display_name
from sidecar.rooms.url_list import split

MAX_CAMERAS: Final = 49
"""As many as the largest layout has tiles."""
MAX_ADDRESS: Final = 64 * 1024
"""Characters of the whole argument."""
_CAMERA: Final = re.compile(r"rtsps?://|webcam:", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clips:
    """A video file, or a folder of them."""

    path: Path

    @property
    def name(self) -> str:
        return display_name(self.path.name or str(self.path))


@dataclass(frozen=True, slots=True)
class Webcam:
    """A camera of this machine, by its number."""

    number: int
    name: str

    @property
    def shown(self) -> str:
        """The address as a user would write it."""
        return f"webcam:{self.number}"


@dataclass(frozen=True, slots=True)
class NetworkCamera:
    """A camera that is reached by RTSP."""

    url: str = field(repr=False)
    """With the user and password, if it has them: never to be shown."""
    name: str

    @property
    def shown(self) -> str:
        """The address without what is secret in it."""
        return shown_url(self.url)


Camera: TypeAlias = Webcam | NetworkCamera


def is_recording(address: str) -> bool:
    """Whether ``address`` names cameras or a path; anything with another scheme is neither."""
    text = address.strip()
    return bool(text) and (bool(_CAMERA.match(text)) or not _ELSEWHERE.match(text))


def parse_recordings(address: str) -> Clips | Sequence[Camera]:
    """What ``address`` names; raises ConfigError where it is incomplete.

    ``~`` is the user's home. Whether there is such a file or camera is not looked at.
    """
    if len(address) > MAX_ADDRESS or "\0" in address:
        raise ConfigError("is no path and no list of cameras", where=shown_url(address))
    if not _CAMERA.match(address.strip()):
        return Clips(_path(address))
    cameras = [_camera(part) for part in split(address, _CAMERA)]
    if len(cameras) > MAX_CAMERAS:
        raise ConfigError(f"{len(cameras)} cameras are too many", do=f"name {MAX_CAMERAS} at most")
    return cameras


def _path(address: str) -> Path:
    if not address.strip():
        raise ConfigError("no file, folder or camera is named", do="name one")
    try:
        return Path(address).expanduser()
    except RuntimeError as error:
        raise ConfigError("there is no such user's home", where=address) from error


def _camera(text: str) -> Camera:
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "webcam":
        number, _, name = rest.partition("#")
        if not re.fullmatch(r"[0-9]{1,3}", number):
            what = "a webcam is named by its number"
            raise ConfigError(what, where=shown_url(text), do="webcam:0 is the first")
        return Webcam(int(number), display_name(unquote(name) or f"webcam {number}"))
    return _network_camera(text)


def _network_camera(text: str) -> NetworkCamera:
    url, _, fragment = text.partition("#")
    if "@" in fragment and "/" not in url.partition("://")[2]:
        what = "a # in a user name or password cuts the camera's address"
        raise ConfigError(what, do="write %23 in its place")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _incomplete() from error
    if not host:
        raise _incomplete()
    last = unquote(parts.path).rstrip("/").rpartition("/")[2]
    return NetworkCamera(url, display_name(unquote(fragment) or last or host))


def _incomplete() -> ConfigError:
    # The address itself stays out of it: it may hold a password.
    return ConfigError("a camera's address is incomplete", do="rtsp://HOST[:PORT]/PATH")
