"""Open what FFmpeg reads: files of this machine, network cameras, webcams.

A file never opens anything but itself: FFmpeg gets its name with ``file:`` before it, which keeps
colons and percent signs from being taken for protocols, and lists of the protocols and formats that
it may use, in which playlists and everything else that names other files are missing. What is in a
file is not decoded while it is opened: there, FFmpeg has no limit of pixels for every format.
"""

import errno
import os
import platform
import stat
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer

from config.errors import PictureError
from sidecar.captured import failure_text
from sidecar.media.container.allocations import limit_allocations
from sidecar.plain_text import escape_controls

FAILURES: Final = (av.FFmpegError, OSError, ValueError, IndexError, MemoryError)
"""What PyAV raises where FFmpeg refuses; most of FFmpeg's errors are one of the others as well."""

_FORMATS: Final = (
    "mov,matroska,webm,avi,asf,flv,mpegts,mpeg,mpegvideo,ogg,ivf,nut,mxf,dv,rm,wtv,"
    "h264,hevc,m4v,obu,av1,vc1,yuv4mpegpipe,mjpeg"
)
"""Demuxers of files, by FFmpeg's names. Playlists (hls, dash, concat, sdp), numbered pictures
(image2) and devices are not among them; pictures are read elsewhere."""
_SOUND_DECODERS: Final = (
    "aac,aac_fixed,aac_latm,ac3,ac3_fixed,eac3,mp1float,mp2float,mp3float,mp1,mp2,mp3,opus,libopus,"
    "vorbis,libvorbis,flac,alac,wmav1,wmav2,wmapro,amrnb,amrwb,dca,truehd,cook,speex,libspeex,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_alaw,pcm_mulaw,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_swf,nellymoser"
)
"""Decoders that may look for missing parameters while a file is opened: none of video."""
_PROBING: Final = {"codec_whitelist": _SOUND_DECODERS}
_FILE: Final = {"protocol_whitelist": "file", "format_whitelist": _FORMATS, **_PROBING}
_RTSP: Final = {
    # Over UDP a lost packet garbles pictures, and few networks let it through.
    "rtsp_transport": "tcp",
    # What a server may make us open: nothing but the camera.
    "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls,crypto",
    "format_whitelist": "rtsp,sdp,rtp",
    "fflags": "nobuffer",
    "analyzeduration": "1000000",
    **_PROBING,
}
_OPENING: Final = 30.0
"""Seconds for one read of a file, which may lie on a slow network disk."""


def file_url(path: Path) -> str:
    """What FFmpeg gets for ``path``, with any characters in it."""
    return f"file:{path}"


def require_file(path: Path) -> os.stat_result:
    """Raises PictureError unless ``path`` is a regular file: pipes and devices may never end."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise PictureError(
            f"can't be read: {failure_text(error)}", where=shown_path(path)
        ) from error
    if stat.S_ISDIR(status.st_mode):
        raise PictureError("is a folder", where=shown_path(path), do="name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise PictureError(
            "is not a regular file", where=shown_path(path), do="save it to a file first"
        )
    return status


def open_file(path: Path) -> InputContainer:
    """The file at ``path``; raises PictureError where it is none, or not of a format we read."""
    require_file(path)
    limit_allocations()
    try:
        return av.open(
            file_url(path), options=dict(_FILE), timeout=_OPENING, metadata_errors="replace"
        )
    except FAILURES as error:
        # FFmpeg's answer for a format that is not on the list.
        refused = getattr(error, "errno", None) == errno.EINVAL
        why = "its format is none that is read" if refused else failure_text(error)
        what = f"can't be read as a video: {why}"
        raise PictureError(what, where=shown_path(path)) from error


def open_network_camera(url: str, timeout: tuple[float, float]) -> InputContainer:
    """The RTSP camera at ``url``, which may hold a password; raises one of ``FAILURES``.

    ``timeout``: seconds to open it, and for each packet.
    """
    limit_allocations()
    return av.open(url, format="rtsp", options=dict(_RTSP), timeout=timeout)


def open_webcam(device: str, size: str) -> InputContainer:
    """The webcam ``device`` (/dev/video0), asked for pictures of ``size``; as above."""
    if platform.system() != "Linux":
        raise OSError(errno.ENOSYS, "webcams are read by Video4Linux, which is Linux's")
    options = {"video_size": size, "framerate": "30", **_PROBING}
    return av.open(device, format="v4l2", options=options)


def shown_path(path: Path) -> str:
    """``path`` for messages: bytes that are no UTF-8 become U+FFFD, control characters escapes."""
    return escape_controls(os.fsencode(path).decode(errors="replace"))
