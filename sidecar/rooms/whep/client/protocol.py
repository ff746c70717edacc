"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03) from the client's side, without any I/O.

Both are one POST of a fully gathered offer, answered by an answer and the session's address, which
a DELETE ends. The caller does what each step asks for and tells how it went:

    step = negotiation.begin()
    Request    send it; step = receive(response), or lost(reason) where none came
    MakeOffer  gather an offer with these ICE servers; step = offer(sdp)
    Answer     done: set it; the session lasts until the request of end() is sent
    Failure    it is over; ``retry`` says whether another negotiation may succeed
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeAlias
from urllib.parse import urljoin, urlsplit

from aiortc import RTCIceServer

from sidecar.plain_text import clean_text
from sidecar.redaction import shown_url
from sidecar.rooms.whep.client.endpoint import WhipEndpoint
from sidecar.rooms.whep.client.failures import Failure, failure_of, garbage, redirected
from sidecar.rooms.whep.client.link_header import ice_servers

MAX_REDIRECTS: Final = 5
"""Redirects of an offer that are followed."""
MAX_BODY: Final = 64 * 1024
"""Bytes of an answer. Real ones stay below 8 KiB."""
MAX_URL: Final = 4096
"""Characters of an address that a server sends us to."""
SDP: Final = "application/sdp"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to send, without following redirects."""

    method: str
    url: str = field(repr=False)
    """May hold a token in its query."""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What a request was answered; of the body no more than ``MAX_BODY`` + 1 bytes."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = field(default=b"", repr=False)

    def values(self, name: str) -> list[str]:
        """Every value of header ``name``, which comes in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    def value(self, name: str) -> str:
        """The first value of header ``name``; empty where there is none."""
        return next(iter(self.values(name)), "")


@dataclass(frozen=True, slots=True)
class MakeOffer:
    """Make an offer that holds all its candidates, gathered with these servers and your own."""

    ice_servers: tuple[RTCIceServer, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The server's answer to the offer."""

    sdp: str = field(repr=False)
    response: Response = field(default_factory=lambda: Response(201), repr=False, compare=False)
    """With what else came along."""


Step: TypeAlias = Request | MakeOffer | HttpAnswer | Failure


class _State(Enum):
    NEW = auto()
    ASKING = auto()
    OFFERING = auto()
    POSTING = auto()
    OVER = auto()


class Negotiation:
    """One session at ``endpoint``; ``known`` are ICE servers that it named on earlier occasions.

    The token goes to the host that the user named and to no other, and never out of TLS.
    """

    def __init__(self, endpoint: WhipEndpoint, known: Sequence[RTCIceServer] = ()) -> None:
        self._endpoint = endpoint
        self._state = _State.NEW
        self._url = endpoint.url
        self._redirects = 0
        self._authorise = False
        self._offer = b""
        self._session: str | None = None
        self.ice_servers: tuple[RTCIceServer, ...] = tuple(known)
        """What the server named: before the offer, or with its answer (for the next time)."""

    def begin(self) -> Request:
        """Ask which ICE servers there are: after the offer it would be too late for them."""
        self._state = _State.ASKING
        return self._options()

    def offer(self, sdp: str) -> Request:
        """Post ``sdp``; redirects seen so far were those of another request."""
        self._state = _State.POSTING
        self._offer = sdp.encode()
        self._url, self._redirects = self._endpoint.url, 0
        return self._post()

    def receive(self, response: Response) -> Step:
        """What follows from the response to the last request."""
        match self._state:
            case _State.ASKING:
                return self._described(response)
            case _State.POSTING:
                return self._answered(response)
            case _:
                return self._fail(garbage("answered without a request", self._where))

    def lost(self, reason: str) -> Step:
        """What follows when the last request got no response, for ``reason``."""
        if self._state is _State.ASKING:
            return self._make_offer()
        return self._fail(Failure(reason, where=self._where))

    def end(self) -> Request | None:
        """The request that ends the session; None where there is none (any more)."""
        self._state = _State.OVER
        session, self._session = self._session, None
        return None if session is None else Request("DELETE", session, self._headers(session))

    def _options(self) -> Request:
        # A preflight request, as browsers send it, has no token to show.
        return Request("OPTIONS", self._url, self._headers(self._url) if self._authorise else {})

    def _post(self) -> Request:
        headers = {"Content-Type": SDP, "Accept": SDP} | self._headers(self._url)
        return Request("POST", self._url, headers, self._offer)

    def _described(self, response: Response) -> Step:
        if response.status in (307, 308) and self._follow(response):
            return self._options()
        if response.status == 401 and not self._authorise and self._headers(self._url):
            self._authorise = True
            return self._options()
        if response.status < 300:
            self._learn(response)
        # A server that doesn't know OPTIONS may well know the rest.
        return self._make_offer()

    def _make_offer(self) -> MakeOffer:
        self._state = _State.OFFERING
        return MakeOffer(self.ice_servers)

    def _answered(self, response: Response) -> Step:
        if response.status in (307, 308):
            if self._follow(response):
                return self._post()
            return self._fail(redirected(self._where, response.value("location"), self._redirects))
        if response.status != 201:
            given = bool(self._headers(self._url))
            failure = failure_of(self._endpoint.kind, response, self._where, authorised=given)
            return self._fail(failure)
        # First of all: the session exists even if the rest of the answer is wrong.
        self._session = self._resolved(response.value("location"))
        self._learn(response)
        return self._checked(response)

    def _checked(self, response: Response) -> HttpAnswer | Failure:
        kind = response.value("content-type").partition(";")[0].strip().lower()
        if kind != SDP:
            what = f"its answer is {clean_text(kind, 60) or 'of no type'}, not {SDP}"
            return self._fail(garbage(what, self._where))
        if len(response.body) > MAX_BODY:
            return self._fail(garbage(f"its answer has more than {MAX_BODY} bytes", self._where))
        try:
            sdp = response.body.decode()
        except UnicodeDecodeError:
            return self._fail(garbage("its answer is no text", self._where))
        if not sdp.startswith("v=0"):
            return self._fail(garbage("its answer is no SDP", self._where))
        self._state = _State.OVER
        return HttpAnswer(sdp, response)

    def _follow(self, response: Response) -> bool:
        """Go where a redirect leads; False where it leads nowhere good."""
        target = self._resolved(response.value("location"))
        self._redirects += 1
        if target is None or self._redirects > MAX_REDIRECTS:
            return False
        self._url = target
        return True

    def _resolved(self, location: str) -> str | None:
        """``location`` as seen from where redirects have led; None where it can't be used."""
        if not location or len(location) > MAX_URL:
            return None
        try:
            target = urljoin(self._url, location)
            parts = urlsplit(target)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return None
        secure = urlsplit(self._url).scheme == "https"
        if not host or parts.username or parts.scheme not in ("https", "http"):
            return None
        return None if secure and parts.scheme == "http" else target

    def _headers(self, url: str) -> dict[str, str]:
        """What proves to ``url`` who we are; nothing for a host that the user did not name."""
        secret = self._endpoint.authorization
        there, named = urlsplit(url), urlsplit(self._endpoint.url)
        if not secret or there.hostname != named.hostname:
            return {}
        return {"Authorization": secret}

    def _learn(self, response: Response) -> None:
        self.ice_servers = tuple(ice_servers(response.values("link"))) or self.ice_servers

    def _fail(self, failure: Failure) -> Failure:
        self._state = _State.OVER
        return failure

    @property
    def _where(self) -> str:
        return shown_url(self._url)
