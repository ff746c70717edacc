"""The client's side of WHIP and WHEP, message by message."""

import pytest
from aiortc import RTCIceServer
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.whep.client.endpoint import EndpointKind, endpoint
from sidecar.rooms.whep.client.failures import Failure, Retry
from sidecar.rooms.whep.client.protocol import (
    MAX_BODY,
    MAX_REDIRECTS,
    HttpAnswer,
    MakeOffer,
    Negotiation,
    Request,
    Response,
    Step,
)

URL = "https://live.example/door/whep?key=hush"
SDP = [("Content-Type", "application/sdp")]
TURN = '<turn:turn.example:3478>; rel="ice-server"; username="ada"; credential="sesame"'


def negotiation(
    url: str = URL, token: str = "", kind: EndpointKind = EndpointKind.WHEP
) -> Negotiation:
    return Negotiation(endpoint(kind, url, token))


def offered(url: str = URL, token: str = "", kind: EndpointKind = EndpointKind.WHEP) -> Negotiation:
    """One whose offer has been posted."""
    client = negotiation(url, token, kind)
    client.begin()
    client.lost("no OPTIONS here")
    client.offer("v=0\r\n")
    return client


def created(location: str = "/session/7", body: bytes = b"v=0\r\n") -> Response:
    return Response(201, [*SDP, ("Location", location)], body)


def request(step: Step) -> Request:
    assert isinstance(step, Request)
    return step


def failure(step: Step) -> Failure:
    assert isinstance(step, Failure)
    return step


def test_a_session_from_the_first_request_to_the_last() -> None:
    client = negotiation(token="sesame")
    asked = client.begin()
    assert (asked.method, asked.url, asked.headers) == ("OPTIONS", URL, {})
    link = [("Link", TURN), ("link", "<stun:stun.example>; rel=ice-server")]
    step = client.receive(Response(204, link))
    assert step == MakeOffer(
        (RTCIceServer("turn:turn.example:3478", "ada", "sesame"), RTCIceServer("stun:stun.example"))
    )
    posted = client.offer("v=0\r\noffer")
    assert (posted.method, posted.url, posted.body) == ("POST", URL, b"v=0\r\noffer")
    assert posted.headers["Content-Type"] == "application/sdp"
    assert posted.headers["Authorization"] == "Bearer sesame"
    assert client.receive(created("session/7", b"v=0\r\nanswer")) == HttpAnswer("v=0\r\nanswer")
    ended = client.end()
    assert ended is not None
    assert (ended.method, ended.url) == ("DELETE", "https://live.example/door/session/7")
    assert ended.headers == {"Authorization": "Bearer sesame"}
    assert client.end() is None


@pytest.mark.parametrize("status", [404, 405, 500, 301])
def test_a_server_without_options_gets_the_offer_all_the_same(status: int) -> None:
    client = negotiation()
    client.begin()
    assert client.receive(Response(status, [("Link", TURN)])) == MakeOffer(())


def test_options_are_asked_with_the_token_where_it_is_wanted() -> None:
    client = negotiation(token="sesame")
    client.begin()
    again = request(client.receive(Response(401)))
    assert again.method == "OPTIONS"
    assert again.headers == {"Authorization": "Bearer sesame"}
    assert client.receive(Response(401)) == MakeOffer(())


@pytest.mark.parametrize("status", [307, 308])
def test_redirects_are_followed_with_the_offer_and_the_session_is_found_from_there(
    status: int,
) -> None:
    client = offered()
    moved = request(client.receive(Response(status, [("Location", "//edge.example/b/whep")])))
    assert (moved.method, moved.url, moved.body) == (
        "POST",
        "https://edge.example/b/whep",
        b"v=0\r\n",
    )
    client.receive(created("../c/7"))
    ended = client.end()
    assert ended is not None
    assert ended.url == "https://edge.example/c/7"


def test_the_token_is_for_the_host_that_was_named_and_no_other() -> None:
    client = offered(token="sesame")
    same = request(client.receive(Response(307, [("Location", "https://live.example:8443/x")])))
    assert "Authorization" in same.headers
    other = request(client.receive(Response(307, [("Location", "https://evil.example/x")])))
    assert "Authorization" not in other.headers
    client.receive(created("https://live.example/session/7"))
    ended = client.end()
    assert ended is not None
    assert "Authorization" in ended.headers


def test_redirects_end_somewhere() -> None:
    client = offered()
    for number in range(MAX_REDIRECTS):
        request(client.receive(Response(307, [("Location", f"/{number}")])))
    assert "redirects" in failure(client.receive(Response(307, [("Location", "/more")]))).what


@pytest.mark.parametrize(
    "location", ["", "http://live.example/x", "ftp://live.example/x", "https://[/x", "x" * 5000]
)
def test_redirects_out_of_tls_or_to_no_address_are_refused(location: str) -> None:
    failure(offered().receive(Response(307, [("Location", location)])))


@pytest.mark.parametrize("status", [301, 302, 303])
def test_other_redirects_are_not_followed(status: int) -> None:
    failed = failure(offered().receive(Response(status, [("Location", "/elsewhere")])))
    assert failed.retry is Retry.NEVER
    assert "307 and 308" in failed.what


@pytest.mark.parametrize(
    ("kind", "status", "retry"),
    [
        (EndpointKind.WHEP, 404, Retry.SOON),
        (EndpointKind.WHEP, 409, Retry.SOON),
        (EndpointKind.WHIP, 409, Retry.SOON),
        (EndpointKind.WHIP, 503, Retry.SOON),
        (EndpointKind.WHEP, 500, Retry.SOON),
        (EndpointKind.WHEP, 400, Retry.LATER),
        (EndpointKind.WHEP, 200, Retry.LATER),
        (EndpointKind.WHEP, 406, Retry.NEVER),
        (EndpointKind.WHEP, 401, Retry.NEVER),
        (EndpointKind.WHIP, 403, Retry.NEVER),
    ],
)
def test_a_refusal_says_whether_to_come_back(kind: EndpointKind, status: int, retry: Retry) -> None:
    failed = failure(offered(kind=kind).receive(Response(status)))
    assert (failed.retry, failed.status) == (retry, status)
    assert f"HTTP {status}" in failed.what


def test_a_counter_offer_is_said_to_be_unsupported() -> None:
    failed = failure(offered().receive(Response(406, SDP, b"v=0\r\n")))
    assert "make the offer, which is not supported" in failed.what


def test_a_missing_token_is_distinguished_from_a_wrong_one() -> None:
    assert failure(offered().receive(Response(401))).do == "set WHEP_TOKEN"
    assert "token refused" in failure(offered(token="x").receive(Response(403))).what


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("86400", 60.0),
        ("Mon, 23 Nov 2026 07:00:09 GMT", 9.0),
        ("Mon, 23 Nov 2026 06:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_a_full_server_is_left_alone_as_long_as_it_asks_within_reason(
    value: str, seconds: float | None
) -> None:
    headers = [("Retry-After", value), ("Date", "Mon, 23 Nov 2026 07:00:00 GMT")]
    assert failure(offered().receive(Response(503, headers))).retry_after == seconds


def test_the_servers_own_words_are_passed_on_in_one_line() -> None:
    body = b'{"status": "error", "error": "codecs not\\n supported\\u0000 by client"}'
    failed = failure(offered().receive(Response(400, body=body)))
    assert failed.what.endswith("(server: 'codecs not supported by client')")


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        ([("Content-Type", "text/html")], b"v=0", "text/html"),
        ([], b"v=0", "no type"),
        (SDP, b"\xff", "no text"),
        (SDP, b"hello", "no SDP"),
        (SDP, b"v=0" + b"x" * MAX_BODY, "more than"),
    ],
)
def test_an_answer_that_is_none_is_refused_and_its_session_ended(
    headers: list[tuple[str, str]], body: bytes, why: str
) -> None:
    client = offered()
    failed = failure(client.receive(Response(201, [*headers, ("Location", "/session/7")], body)))
    assert "its answer" in failed.what
    assert why in failed.what
    ended = client.end()
    assert ended is not None
    assert ended.url == "https://live.example/session/7"


def test_servers_named_with_the_answer_are_there_for_the_next_time() -> None:
    client = offered()
    client.receive(Response(201, [*SDP, ("Location", "/7"), ("Link", TURN)], b"v=0\r\n"))
    (server,) = client.ice_servers
    again = Negotiation(endpoint(EndpointKind.WHEP, URL), client.ice_servers)
    again.begin()
    assert again.lost("") == MakeOffer((server,))


def test_nothing_secret_is_shown() -> None:
    client = offered("https://ada:sesame@live.example/x?key=hush", kind=EndpointKind.WHIP)
    steps = [client.receive(Response(307, [("Location", "/y?key=hush")]))]
    steps.append(client.lost("gone"))
    for secret in ("hush", "sesame"):
        assert all(secret not in repr(step) for step in steps)
        assert secret not in repr(endpoint(EndpointKind.WHIP, f"https://x/?{secret}", secret))


HEADERS = st.sampled_from(
    ["Location", "Link", "Content-Type", "Retry-After", "Date", "ETag", "X-Unknown"]
)
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["application/sdp", TURN, "/session", "https://[", "7", "//h", "<", "<a>;b="]),
)
RESPONSES = st.builds(
    Response,
    st.one_of(st.integers(0, 999), st.sampled_from([201, 204, 307, 308, 401, 404, 503])),
    st.lists(st.tuples(HEADERS, VALUES), max_size=6),
    st.one_of(st.binary(max_size=60), st.just(b"v=0\r\n"), st.just(b'{"detail": [1]}')),
)
INPUTS = st.lists(
    st.one_of(RESPONSES, st.sampled_from(["lost", "offer", "begin", "end"])), max_size=12
)


@given(INPUTS, st.sampled_from(EndpointKind), st.sampled_from(["", "token"]))
def test_messages_in_any_order_leave_a_valid_state(
    inputs: list[Response | str], kind: EndpointKind, token: str
) -> None:
    client = negotiation(token=token, kind=kind)
    for item in inputs:
        match item:
            case Response():
                step: object = client.receive(item)
            case "lost":
                step = client.lost("gone")
            case "offer":
                step = client.offer("v=0")
            case "begin":
                step = client.begin()
            case _:
                step = client.end() or Failure("over")
        assert isinstance(step, Request | MakeOffer | HttpAnswer | Failure)
        if isinstance(step, Request):
            assert step.url.startswith("https://")


@given(st.lists(RESPONSES, min_size=8, max_size=40))
def test_no_server_can_keep_a_negotiation_going_for_ever(responses: list[Response]) -> None:
    client = negotiation(token="sesame")
    step: Step = client.begin()
    requests = 0
    answers = iter(responses * 2)
    while not isinstance(step, HttpAnswer | Failure):
        if isinstance(step, MakeOffer):
            step = client.offer("v=0")
        else:
            requests += 1
            step = client.receive(next(answers))
    assert requests <= 2 * (MAX_REDIRECTS + 2)
