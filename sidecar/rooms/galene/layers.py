"""Which layer of a camera to ask for. Pure."""

from dataclasses import dataclass

from sidecar.rooms.base import ReceiverConstraints


@dataclass(slots=True)
class Layers:
    """What is known of one camera's layers: a low one, and a high one that may be the same."""

    low: bool = True
    """The layer that was asked for last."""
    smallest: tuple[int, int] | None = None
    """Width and height of the low layer's pictures, as far as it was seen."""
    pictures: int = 0
    """How many had come when the layer was asked for: what comes soon after may be of the other."""

    def choose(
        self, want: ReceiverConstraints | None, size: tuple[int, int] | None, pictures: int
    ) -> bool | None:
        """Whether to ask for the low layer now; None where the one that we have is right.

        ``size`` is the newest picture's, the ``pictures``-th that came.
        """
        if self.low and size is not None and pictures > self.pictures + 5:
            self.smallest = size
        if want is None or self.smallest is None:
            return None
        enough = want.paused or (self.smallest[0] >= want.width or self.smallest[1] >= want.height)
        if enough is self.low:
            return None
        self.low, self.pictures = enough, pictures
        return enough
