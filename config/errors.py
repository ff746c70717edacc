"""Every error this project raises on purpose, in one tree.

    SidecarError
    ├── for users, who can correct the cause
    │   ├── ConfigError        a settings file, environment variable or option is wrong
    │   ├── StickerError       a GIF, WebP, APNG or sticker drawing can't be used
    │   ├── ModelError         a model is missing, damaged or can't be fetched
    │   ├── PictureError       a picture or video can't be read or written
    │   ├── DatasetError       a data set, or data to import, can't be read or written
    │   ├── ServerError        our own server can't start
    │   └── JournalError       the journal of wanted rooms can't be read or written
    ├── RoomError          a meeting can't be reached; joining again may help
    │   ├── RefusedError       a meeting that refuses us: joining again can't help
    │   ├── LostError          the connection to a meeting that was joined is lost
    │   ├── ProtocolError      a meeting's server sends what its protocol does not allow
    │   ├── NegotiationError   an offer, an answer or a media connection fails
    │   └── SignallingError    a WHIP or WHEP server refuses a request
    ├── for clients of our HTTP server
    │   ├── HttpRefusalError   a request is refused, with a status
    │   │   └── InputError         the body of a request can't be read
    │   ├── CapacityError      there is no capacity for one more room or event stream
    │   ├── NotFoundError      there is no such room, participant or file
    │   ├── UnauthorizedError  the API needs a valid token
    │   ├── ForbiddenError     the token lacks a scope
    │   └── RateLimitError     a caller calls too often
    └── between our own processes
        ├── ControlError       a malformed message on the control channel of a room's process
        └── InferenceError     a worker that detects can't be started, or sends a malformed message
            └── SampleDroppedError a sample was not detected: a newer one came, it was too old, …

The message says what is wrong, where, and what to do; the command line prints it as one line and
exits with 2, the HTTP server sends it as problem+json.
"""


class SidecarError(Exception):
    """Something a user can act on.

    ``what`` went wrong, ``where`` (a file, key, URL or address), and what to ``do`` about it.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what = what
        self.where = where
        self.do = do
        super().__init__(": ".join(filter(None, [where, what])) + (f" ({do})" if do else ""))


class ConfigError(SidecarError):
    """A settings file, an environment variable or an option is wrong."""


class StickerError(SidecarError):
    """A sticker can't be loaded, drawn or found."""


class ModelError(SidecarError):
    """A model is missing, damaged or can't be fetched."""


class PictureError(SidecarError):
    """A picture or a video can't be read or written."""


class DatasetError(SidecarError):
    """A data set, or data to import into one, can't be read or written."""


class RoomError(SidecarError):
    """A meeting can't be reached, or was lost: joining again may help."""


class RefusedError(RoomError):
    """A meeting refuses us, or put us out: joining again can't help."""


class LostError(RoomError):
    """The connection to a meeting that was joined is lost."""


class ProtocolError(RoomError):
    """A meeting's server sends what its protocol does not allow."""


class NegotiationError(RoomError):
    """A peer connection can't be negotiated, or no media path is found; another may do.

    ``timed_out`` if it took too long, so that the description itself may be good.
    """

    def __init__(
        self, what: str, *, where: str = "", do: str = "", timed_out: bool = False
    ) -> None:
        super().__init__(what, where=where, do=do)
        self.timed_out = timed_out


class SignallingError(RoomError):
    """A WHIP or WHEP server refuses a request; ``status`` is its HTTP status, 502 without one."""

    def __init__(self, what: str, *, status: int, where: str = "", do: str = "") -> None:
        super().__init__(what, where=where, do=do)
        self.status = status


class ServerError(SidecarError):
    """Our own server can't start."""


class InferenceError(SidecarError):
    """A worker that detects can't be started, or sends a malformed message."""


class SampleDroppedError(InferenceError):
    """A sample was not detected; the next one is likely to be. ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"sample dropped: {reason}")
        self.reason = reason


class CapacityError(SidecarError):
    """There is no capacity for one more room or event stream; trying again later helps."""


class JournalError(SidecarError):
    """The journal of wanted rooms can't be read or written."""


class ControlError(SidecarError):
    """A malformed message on the control channel between supervisor and room process."""


class NotFoundError(SidecarError):
    """There is no room, participant, sticker or model of this name."""


class UnauthorizedError(SidecarError):
    """The API needs a token, and the one given is not valid."""


class ForbiddenError(SidecarError):
    """The caller is known and may not do this."""


class RateLimitError(SidecarError):
    """A caller calls too often; ``seconds`` from now it may call again."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many requests", do=f"wait {seconds:.1f} s")
        self.seconds = seconds


class HttpRefusalError(SidecarError):
    """A request to our HTTP server is refused; ``status`` is the HTTP status to answer."""

    def __init__(self, what: str, *, status: int, where: str = "", do: str = "") -> None:
        super().__init__(what, where=where, do=do)
        self.status = status


class InputError(HttpRefusalError):
    """The body or a parameter of a request to our API can't be read."""
