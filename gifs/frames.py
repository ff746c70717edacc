"""Move through the frames of animated pictures that Pillow opened."""

from PIL import ImageFile


def seek_frame(image: ImageFile.ImageFile, index: int) -> None:
    """Go to frame ``index``, from 0, through all that lie before it.

    Pillow 13 adds one more argument to the decoder of an interlaced PNG at each frame, and fails at
    the second. Raises what ``seek`` raises.
    """
    for frame in range(min(image.tell(), index), index + 1):
        image.decoderconfig = ()
        image.seek(frame)
    image.decoderconfig = ()
