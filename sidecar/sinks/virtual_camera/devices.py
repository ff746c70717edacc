"""What a virtual camera needs on this system, and whether it is here."""

import importlib.util
import sys
from pathlib import Path
from typing import Final

PACKAGE: Final = "pyvirtualcam"
INSTALL: Final = "pip install 'reaction-sidecar[camera]'"
LOOPBACK: Final = (
    "apt install v4l2loopback-dkms, then"
    " modprobe v4l2loopback exclusive_caps=1 card_label=Reactions"
)
OBS: Final = "install OBS, start its virtual camera once, and stop it"
REPAIR: Final = LOOPBACK if sys.platform == "linux" else OBS
"""What to do where no camera can be opened."""
DEVICES: Final = Path("/sys/devices/virtual/video4linux")
"""Linux: a folder for each virtual device. Those of v4l2loopback are here, webcams are not."""


def is_installed() -> bool:
    """Whether the extra ``camera`` is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def loopback_devices(folder: Path = DEVICES) -> dict[str, str]:
    """Linux: the names of virtual devices by their paths, as ``/dev/video10``."""
    found = {}
    for entry in sorted(folder.glob("video*")):
        try:
            label = (entry / "name").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        found[f"/dev/{entry.name}"] = label
    return found
