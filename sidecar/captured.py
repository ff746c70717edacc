"""Run code that may raise anything, and keep its error.

It imports nothing, so that an inference worker loads no event loop for it.
"""

from typing import Self


class Captured:
    """Runs a block that may raise any exception: that of a library, a plugin or a callback.

    The exception ends the block, is kept in ``error``, and is not raised. Those of the types
    ``passing`` are raised, and so is cancellation.
    """

    def __init__(self, *passing: type[Exception]) -> None:
        self.error: Exception | None = None
        """What the block raised; None where it came to its end."""
        self._passing = passing

    @property
    def reason(self) -> str:
        """``error`` in one line; empty without one."""
        return "" if self.error is None else failure_text(self.error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, Exception) or isinstance(error, self._passing):
            return False
        self.error = error
        return True


def failure_text(error: BaseException) -> str:
    """What ``error`` says (the system's or FFmpeg's text where it is theirs), in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
