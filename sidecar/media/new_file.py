"""Files that appear whole or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from config.errors import PictureError
from sidecar.captured import failure_text
from sidecar.media.container.inputs import shown_path


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """An empty file beside ``path`` to write to, renamed to ``path`` when the block is left.

    After an error it is removed, and what stood at ``path`` stays. Each call has a file of its
    own, so of two that write ``path`` at once the last one to end wins. Raises PictureError where
    ``path`` can't be written, before the block begins as far as that can be known.
    """
    target = _target(path)
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield partial
        try:
            partial.replace(target)
        except OSError as error:
            raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def unwritable(path: Path, error: BaseException) -> PictureError:
    """The error for a file that the system refuses to write."""
    do = "name a file in a folder that you may write to"
    return PictureError(f"can't be written: {failure_text(error)}", where=shown_path(path), do=do)


def _target(path: Path) -> Path:
    """Where ``path`` leads: a link is written through, never replaced."""
    try:
        target = path.resolve()
        status = target.lstat()
    except FileNotFoundError:
        return target
    except (OSError, ValueError, RuntimeError) as error:
        raise unwritable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise PictureError("is a folder", where=shown_path(path), do="name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise PictureError(
            "is not a regular file", where=shown_path(path), do="name a file of your own"
        )
    return target
