"""The entry point of ``camera:``: reads the URL before the package is imported."""

from typing import TYPE_CHECKING, Final

from config.errors import ConfigError
from sidecar.addresses import AddressRule
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.sink_url import SinkUrl
from sidecar.sinks.virtual_camera.devices import INSTALL, is_installed

if TYPE_CHECKING:
    from sidecar.sinks.virtual_camera.sink import OpenCamera, VirtualCameraSink

OPTIONS: Final = ("backend",)


def camera_sink(url: str, options: SinkOptions) -> "VirtualCameraSink":
    """The sink of ``camera:`` (the first device) or ``camera:DEVICE``.

    Option ``backend``: one of pyvirtualcam's, by its name. Raises ConfigError for what is wrong
    with the URL, and where the package is not installed.
    """
    parsed = SinkUrl.parse(url, OPTIONS, where="--publish")
    if options.rule is not AddressRule.ANY:
        raise ConfigError("cameras are for the operator to name", where=parsed.shown)
    if parsed.parts.netloc or parsed.parts.query:
        do = "give camera:, camera:DEVICE or camera:DEVICE#backend=NAME"
        raise ConfigError(f"{parsed.shown!r} names no camera", where="--publish", do=do)
    if not is_installed():
        raise ConfigError("a virtual camera needs an extra package", where="camera:", do=INSTALL)
    import pyvirtualcam
    from pyvirtualcam.camera import BACKENDS

    from sidecar.sinks.virtual_camera.sink import VirtualCameraSink

    backend, device = parsed.options.get("backend"), parsed.parts.path or None
    width, height = options.size

    def open_camera() -> "OpenCamera":
        i420 = pyvirtualcam.PixelFormat.I420
        if backend not in {None, *BACKENDS}:
            do = f"one of {', '.join(sorted(BACKENDS))}"
            raise ConfigError(f"there is no backend {backend!r}", where="camera:", do=do)
        camera: OpenCamera = pyvirtualcam.Camera(
            width, height, options.fps, fmt=i420, device=device, backend=backend
        )
        return camera

    return VirtualCameraSink(open_camera, parsed.shown, options.fps)
