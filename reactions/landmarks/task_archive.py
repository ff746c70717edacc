"""Single models out of a MediaPipe ``.task`` file: a zip archive of ``.tflite`` files."""

import zipfile
from collections.abc import Callable
from io import BytesIO

from config.errors import ModelError

_FROM_MIRROR = "check that your package mirror serves the original file"


def unpack(member: str) -> Callable[[bytes], bytes]:
    """What takes the file ``member`` out of a ``.task`` file's bytes; raises ModelError without."""

    def take(task: bytes) -> bytes:
        try:
            with zipfile.ZipFile(BytesIO(task)) as archive:
                return archive.read(member)
        except (KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ModelError(f"holds no {member} ({error})", do=_FROM_MIRROR) from error

    return take


def check_unpacked(task: bytes, model: bytes) -> None:
    """Raise ModelError unless ``model``, out of ``task``, is a ``.tflite`` file."""
    if model[4:8] != b"TFL3" or len(model) > len(task):
        raise ModelError("the task file holds something else than models", do=_FROM_MIRROR)
