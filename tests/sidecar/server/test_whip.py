"""WHIP and WHEP over real HTTP, with real peers."""

import aiohttp
import av
import numpy as np
import pytest
from aiortc import RTCIceServer, RTCPeerConnection

from sidecar.media.peer_connection import close, peer_connection
from sidecar.rooms.base import Consent
from sidecar.rooms.hosted.offer import Role
from sidecar.rooms.hosted.sessions import Limits
from sidecar.rooms.whep.client.link_header import link_value
from tests.sidecar.clients import (
    ColourTrack,
    eventually,
    offer_sdp,
    post_offer,
    publishing,
    watching,
)
from tests.sidecar.rooms.hosted.offers import offer
from tests.sidecar.server.conftest import GREY, RunningServer, running_server

pytestmark = pytest.mark.peers

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = "a=mid:0\na=candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host\n"
TRICKLE = {"Content-Type": "application/trickle-ice-sdpfrag"}


async def problem(response: aiohttp.ClientResponse) -> str:
    """The reason in a problem, which every refusal must be."""
    assert response.content_type == "application/problem+json"
    problem = await response.json()
    assert problem["status"] == response.status
    assert isinstance(problem["detail"], str)
    return problem["detail"]


async def test_a_published_camera_arrives_in_the_session(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with publishing(http, running.url("/rooms/one/whip?name=Ada"), ColourTrack(90)) as client:
        meeting = running.meetings["one"]
        await eventually(lambda: meeting.present)
        (camera,) = meeting.present.values()
        feed = camera.feed
        assert feed is not None
        await eventually(lambda: feed.frame)
        assert camera.name == "Ada"
        assert camera.participant == client.response.headers["Sidecar-Participant"]
        assert feed.size == (320, 180)


@pytest.mark.parametrize("kinds", [("video",), ("audio", "video"), ("video", "audio")])
async def test_a_viewer_gets_the_composite_in_any_order_of_requests(
    running: RunningServer, http: aiohttp.ClientSession, kinds: tuple[str, ...]
) -> None:
    async with watching(http, running.url("/rooms/one/whep"), kinds) as client:
        assert client.track is not None
        frame = await client.track.recv()
        assert isinstance(frame, av.VideoFrame)
        luma = frame.to_ndarray(format="yuv420p")[: frame.height]
        assert abs(float(np.mean(luma)) - GREY) < 3


async def test_an_answer_says_where_the_session_is_and_how_it_can_be_changed(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client:
        headers = client.response.headers
        assert client.response.content_type == "application/sdp"
        assert headers["Location"].startswith("/rooms/one/whip/")
        assert headers["ETag"].startswith('"')
        assert headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
        answer = await client.response.text()
        assert "a=recvonly" in answer
        assert "a=candidate:" in answer


async def test_a_session_is_over_when_it_is_deleted(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client:
        meeting = running.meetings["one"]
        await eventually(lambda: meeting.present)
        async with http.delete(client.url) as response:
            assert response.status == 200
        await eventually(lambda: not meeting.present)
        for request in (http.delete(client.url), http.post(f"{client.url}/heartbeat")):
            async with request as response:
                assert response.status == 404
                assert "no such session" in await problem(response)


async def test_a_heartbeat_is_taken(running: RunningServer, http: aiohttp.ClientSession) -> None:
    async with publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client:
        async with http.post(f"{client.url}/heartbeat") as response:
            assert response.status == 204
        link = next(value for value in client.response.headers.getall("Link"))
        assert link.startswith(f"<{client.response.headers['Location']}/heartbeat>")


async def test_consent_reaches_the_session(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    url = running.url("/rooms/one/whip?opted_out=1")
    async with publishing(http, url, ColourTrack()) as client:
        meeting = running.meetings["one"]
        participant = client.response.headers["Sidecar-Participant"]
        await eventually(lambda: meeting.consents.get(participant) is Consent.OPT_OUT)
        async with http.post(f"{client.url}/consent", json={"opted_out": False}) as response:
            assert response.status == 204
        await eventually(lambda: meeting.consents.get(participant) is Consent.OPT_IN)
        for body in (b"", b"[]", b'{"opted_out": "no"}', b"\xff"):
            async with http.post(f"{client.url}/consent", data=body) as response:
                assert response.status == 400
                assert "opted_out" in await problem(response)


async def test_a_viewer_has_nothing_to_opt_out_of(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with (
        watching(http, running.url("/rooms/one/whep")) as client,
        http.post(f"{client.url}/consent", json={"opted_out": True}) as response,
    ):
        assert response.status == 404


async def test_candidates_may_trickle_in(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client:
        tag = {"If-Match": client.response.headers["ETag"]}
        async with http.patch(client.url, data=FRAGMENT, headers=TRICKLE | tag) as response:
            assert response.status == 204


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (TRICKLE, 428),
        (TRICKLE | {"If-Match": '"other"'}, 412),
        (TRICKLE | {"If-Match": "*"}, 422),
    ],
)
async def test_a_patch_of_another_ice_session_is_refused(
    running: RunningServer, http: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    async with (
        publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client,
        http.patch(client.url, data=FRAGMENT, headers=headers) as response,
    ):
        assert response.status == status
        assert await problem(response)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/rooms/one/whip", "hello", SDP, 400),
        ("/rooms/one/whip", "v=0\nm=video 9 UDP/TLS/RTP/SAVPF 300\n", SDP, 400),
        ("/rooms/one/whip", offer("recvonly"), SDP, 422),
        ("/rooms/one/whip", offer(), {"Content-Type": "application/json"}, 415),
        ("/rooms/one/whip", "v=0\n" + "a=x\n" * 30_000, SDP, 413),
        ("/rooms/-/whip", offer(), SDP, 404),
        ("/rooms/one/whap", offer(), SDP, 404),
        ("/rooms/one/whip/unknown/heartbeat", "", {}, 404),
    ],
)
async def test_a_bad_request_is_refused_with_its_reason(
    running: RunningServer,
    http: aiohttp.ClientSession,
    path: str,
    body: str,
    headers: dict[str, str],
    status: int,
) -> None:
    async with http.post(running.url(path), data=body.encode(), headers=headers) as response:
        assert response.status == status
        assert await problem(response)


UNKNOWN = offer().replace("VP8", "AV1").replace("H264", "VP9")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (UNKNOWN, 422, ["AV1, VP9", "H264 or VP8"]),
        (offer().replace("VP8", "AV1").replace("42e01f", "6e001f"), 422, ["H264", "6e001f"]),
        (offer().replace("rtpmap:96 VP8/90000", "rtpmap:96 VP8/x"), 400, []),
        ("[" * 60_000, 400, []),
    ],
)
async def test_a_refused_offer_logs_no_stack_trace(
    running: RunningServer,
    http: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    body: str,
    status: int,
    words: list[str],
) -> None:
    url = running.url("/rooms/one/whip")
    async with http.post(url, data=body.encode(), headers=SDP) as response:
        assert response.status == status
        reason = await problem(response)
    assert all(word in reason for word in words), reason
    assert "\n" not in reason
    assert not [record for record in caplog.records if record.exc_info]
    output = capsys.readouterr()
    assert "Traceback" not in output.out + output.err


async def test_a_bad_request_affects_no_other_client(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with watching(http, running.url("/rooms/one/whep")) as client:
        assert client.track is not None
        await client.track.recv()
        for body in (b"v=0", b"x" * 100_000, offer().encode()[:100]):
            async with http.post(
                running.url("/rooms/one/whip"), data=body, headers=SDP
            ) as response:
                assert response.status in {400, 413}
        await client.track.recv()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_another_method_is_405_with_those_that_are_allowed(
    running: RunningServer, http: aiohttp.ClientSession, method: str
) -> None:
    async with http.request(method, running.url("/rooms/one/whip")) as response:
        assert response.status == 405
        assert set(response.headers["Allow"].split(",")) >= {"POST", "OPTIONS"}
        assert await problem(response)


async def test_a_full_room_says_so_and_when_to_come_back(http: aiohttp.ClientSession) -> None:
    async with (
        running_server(limits=Limits(participants=1)) as running,
        publishing(http, running.url("/rooms/one/whip"), ColourTrack()),
    ):
        peer: RTCPeerConnection = peer_connection()
        peer.addTransceiver("video", direction="sendonly")
        response = await post_offer(http, running.url("/rooms/one/whip"), await offer_sdp(peer))
        await close(peer)
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "full: 1 participants" in await problem(response)


async def test_without_a_composite_a_viewer_gets_retry_after(
    http: aiohttp.ClientSession,
) -> None:
    async with running_server(publishes=False) as running:
        response = await post_offer(http, running.url("/rooms/one/whep"), offer("recvonly"))
        assert response.status == 409
        assert int(response.headers["Retry-After"]) > 0


async def test_options_tell_what_may_be_posted(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with http.options(running.url("/rooms/one/whep")) as response:
        assert response.status == 204
        assert response.headers["Accept-Post"] == "application/sdp"
    async with http.options(running.url("/rooms/one/whip/any")) as response:
        assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"


async def test_ice_servers_are_sent_as_links(http: aiohttp.ClientSession) -> None:
    server = RTCIceServer("turn:192.0.2.1?transport=udp", "ada", "secret")
    async with (
        running_server(ice_servers=(server,)) as running,
        http.options(running.url("/rooms/one/whip")) as response,
    ):
        assert link_value(server) in response.headers.getall("Link")


async def test_every_room_has_its_own_people(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with (
        publishing(http, running.url("/rooms/one/whip"), ColourTrack()) as client,
        publishing(http, running.url("/rooms/two/whip"), ColourTrack()),
    ):
        assert running.meetings["one"].room.count(Role.PUBLISH) == 1
        assert running.meetings["two"].room.count(Role.PUBLISH) == 1
        elsewhere = client.url.replace("/one/", "/two/")
        async with http.delete(elsewhere) as response:
            assert response.status == 404
