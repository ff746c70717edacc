"""Every error this project raises on purpose, in one tree.

    SidecarError
    ├── ConfigError        a settings file, environment variable or option is wrong
    ├── StickerError       a GIF, WebP, APNG or sticker drawing can't be used
    ├── ModelError         a net is missing, damaged or can't be fetched
    ├── PictureError       a picture or video can't be read or written
    ├── CapacityError      there is no capacity for one more room
    ├── JournalError       the journal of wanted rooms can't be read or written
    ├── ControlError       the control channel of a room's process carries nonsense
    ├── NotFoundError      there is no such room, participant or file
    ├── UnauthorizedError  the API needs a valid token
    ├── ForbiddenError     the token lacks a scope
    ├── RateLimitError     a caller calls too often
    ├── InputError         a request to our API can't be read
    ├── RoomError          a meeting can't be reached, or speaks nonsense
    │   ├── RefusedError       a meeting that won't have us: trying again can't help
    │   ├── NegotiationError   an offer, an answer or a media connection fails
    │   └── SignallingError    one HTTP request or message of a meeting is refused
    ├── ServerError        our own server can't start
    └── InferenceError     a worker that detects can't be started, or sends nonsense
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
    """A net is missing, damaged or can't be fetched."""


class PictureError(SidecarError):
    """A picture or a video can't be read or written."""


class RoomError(SidecarError):
    """A meeting can't be reached, or speaks nonsense."""


class RefusedError(RoomError):
    """A meeting won't have us, or put us out: trying again can't help."""


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
    """One request or message of a meeting is refused; ``status`` is the HTTP status to answer."""

    def __init__(self, what: str, *, status: int, where: str = "", do: str = "") -> None:
        super().__init__(what, where=where, do=do)
        self.status = status


class ServerError(SidecarError):
    """Our own server can't start."""


class InferenceError(SidecarError):
    """A worker that detects can't be started, or sends nonsense."""


class SampleDroppedError(InferenceError):
    """A sample was not detected; the next one is likely to be. ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"sample dropped: {reason}")
        self.reason = reason


class CapacityError(SidecarError):
    """There is no capacity for one more room; trying again later helps."""


class JournalError(SidecarError):
    """The journal of wanted rooms can't be read or written."""


class ControlError(SidecarError):
    """The control channel between a supervisor and a room's process carries nonsense."""


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


class InputError(SidecarError):
    """A request to our API can't be taken; ``status`` is the HTTP status to answer."""

    def __init__(self, what: str, *, status: int, where: str = "", do: str = "") -> None:
        super().__init__(what, where=where, do=do)
        self.status = status
