"""What a WHIP or WHEP server's refusal means, and whether to try again. Pure."""

import email.utils
import json
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from sidecar.plain_text import clean_text
from sidecar.rooms.whep.client.endpoint import EndpointKind

LONGEST_WAIT: Final = 60.0
"""Seconds that a server's Retry-After may keep us away."""
MAX_REASON: Final = 160
"""Characters of a server's own explanation that are passed on."""


class Retry(Enum):
    """Whether trying again may help."""

    SOON = auto()
    """The server is down, full or starting, or there is nothing to watch yet."""
    LATER = auto()
    """Something doesn't fit; a person may correct it."""
    NEVER = auto()
    """Not with this address and these rights."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no session."""

    what: str
    do: str = ""
    where: str = ""
    retry: Retry = Retry.SOON
    status: int = 0
    """The HTTP status that said so; 0 where there was no response."""
    retry_after: float | None = None
    """Seconds that the server asked to be left alone, at most ``LONGEST_WAIT``."""

    def __str__(self) -> str:
        return self.what + (f" ({self.do})" if self.do else "")


class ResponseHeaders(Protocol):
    """A response, as far as it is looked at here."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> bytes: ...

    def value(self, name: str) -> str: ...


def garbage(what: str, where: str, do: str = "") -> Failure:
    """The server speaks something else."""
    do = do or "check that the address is that of its endpoint"
    return Failure(what, do, where, Retry.LATER)


def redirected(where: str, location: str, count: int) -> Failure:
    """A redirect that isn't followed."""
    what = (
        f"leads nowhere after {count} redirects" if location else "redirects without saying where"
    )
    return Failure(what, "check the address", where, Retry.LATER)


def failure_of(
    kind: EndpointKind, response: ResponseHeaders, where: str, *, authorised: bool
) -> Failure:
    """What any status but 201, 307 and 308 means as the answer to an offer."""
    meaning, do, retry = _meaning(kind, response.status, authorised)
    what = f"HTTP {response.status}: {meaning}"
    if reason := _reason(response.body):
        what += f" (server: '{reason}')"
    return Failure(what, do, where, retry, response.status, retry_after(response))


def retry_after(response: ResponseHeaders) -> float | None:
    """Seconds to wait, as ``Retry-After`` says in seconds or by date; None where it doesn't."""
    text = response.value("retry-after").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(text)
        # By the server's own clock: ours may differ.
        now = email.utils.parsedate_to_datetime(response.value("date"))
        return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return None


def _meaning(kind: EndpointKind, status: int, authorised: bool) -> tuple[str, str, Retry]:
    """What to say, what to do about it, and whether to come back."""
    if status in (401, 403):
        token = f"{kind.value.upper()}_TOKEN"
        if authorised:
            return "token refused", f"check {token} and its rights", Retry.NEVER
        return "token required", f"set {token}", Retry.NEVER
    if kind is EndpointKind.WHEP and status in (404, 409):
        return "no stream there yet", "", Retry.SOON
    if status in _MEANINGS:
        return _MEANINGS[status]
    if status in (408, 425, 429) or status >= 500:
        return "the server can't take a session now", "", Retry.SOON
    do = "the sidecar receives VP8 and H.264 and sends VP8; check the server's log"
    return "offer not accepted", do, Retry.LATER


_MOVED: Final = (
    "only 307 and 308 redirect an offer",
    "name the address that it redirects to",
    Retry.NEVER,
)
_MEANINGS: Final = {
    301: _MOVED,
    302: _MOVED,
    303: _MOVED,
    404: ("no such endpoint", "check the address", Retry.SOON),
    405: ("not an endpoint", "check the address", Retry.NEVER),
    406: (
        "the server wants to make the offer, which is not supported",
        "use a server that answers offers, as WHEP has it today",
        Retry.NEVER,
    ),
    409: ("another client publishes there", "", Retry.SOON),
    410: ("the endpoint is gone", "check the address", Retry.SOON),
    503: ("server full or starting", "", Retry.SOON),
}


def _reason(body: bytes) -> str:
    """The server's own words, from the JSON in which servers put them."""
    try:
        problem = json.loads(body[: 4 * 1024])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(problem, dict):
        return ""
    words = next(
        (text for key in ("detail", "error", "title") if isinstance(text := problem.get(key), str)),
        "",
    )
    return clean_text(words, MAX_REASON)
