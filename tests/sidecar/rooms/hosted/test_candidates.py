"""What a client's candidates can make us send to third parties."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiortc import RTCIceCandidate

from config.errors import HttpRefusalError
from sidecar.media.ice import MAX_CANDIDATES, parse_candidate
from sidecar.media.peer_connection import close, peer_connection
from sidecar.rooms.hosted.offer import Offer, Role, read_offer
from sidecar.rooms.hosted.room import HostedRoom
from tests.sidecar.clients import ColourTrack, eventually, offer_sdp
from tests.sidecar.rooms.hosted.offers import offer


class Bystander(asyncio.DatagramProtocol):
    """A third party that answers nothing: counts what it gets."""

    def __init__(self) -> None:
        self.packets = 0
        self.bytes = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.packets += 1
        self.bytes += len(data)


@asynccontextmanager
async def bystanders(count: int) -> AsyncIterator[dict[int, Bystander]]:
    """``count`` of them on loopback, by port."""
    loop = asyncio.get_running_loop()
    found: dict[int, Bystander] = {}
    async with AsyncExitStack() as stack:
        for _ in range(count):
            transport, protocol = await loop.create_datagram_endpoint(
                Bystander, local_addr=("127.0.0.1", 0), family=socket.AF_INET
            )
            stack.callback(transport.close)
            found[transport.get_extra_info("sockname")[1]] = protocol
        yield found


def line(port: int, ip: str = "127.0.0.1") -> str:
    return f"candidate:1 1 udp 2122260223 {ip} {port} typ host"


async def silent_offer(ports: list[int], *, local: bool = True) -> Offer:
    """An offer of a camera whose candidates are at ``ports`` of others."""
    peer, track = peer_connection(), ColourTrack()
    peer.addTransceiver(track, direction="sendonly")
    try:
        lines = (await offer_sdp(peer)).splitlines()
    finally:
        track.stop()
        await close(peer)
    kept = [each for each in lines if not each.startswith("a=candidate:")]
    sdp = "\r\n".join([*kept, *(f"a={line(port)}" for port in ports), ""])
    return read_offer(sdp.encode(), "application/sdp", Role.PUBLISH, from_loopback=local)


async def test_third_parties_get_no_more_bytes_than_the_client_sent() -> None:
    async with bystanders(MAX_CANDIDATES) as others, HostedRoom("one") as room:
        sent = await silent_offer(list(others))
        await room.join(sent, "Ada")
        # Their first checks, and the time in which unbounded ones would be repeated twice.
        await eventually(lambda: sum(other.packets for other in others.values()) > 5)
        await asyncio.sleep(1.6)
        assert sum(other.bytes for other in others.values()) <= sent.size


async def test_trickled_candidates_add_no_more_than_their_own_bytes() -> None:
    async with bystanders(MAX_CANDIDATES) as others, HostedRoom("one") as room:
        offered = await silent_offer([])
        answer = await room.join(offered, "Ada")
        place = room.place(Role.PUBLISH, answer.token)
        candidates = [parse_candidate(line(port)) for port in others]
        await room.trickle(place, candidates, 60 * len(candidates))
        await eventually(lambda: any(other.packets for other in others.values()))
        await asyncio.sleep(1.6)
        assert sum(other.bytes for other in others.values()) <= offered.size + 60 * len(candidates)


async def test_a_client_elsewhere_makes_us_send_nothing_to_our_own_services() -> None:
    async with bystanders(4) as others, HostedRoom("one") as room:
        answer = await room.join(await silent_offer(list(others), local=False), "Ada")
        place = room.place(Role.PUBLISH, answer.token)
        mapped = [parse_candidate(line(port, "::ffff:127.0.0.1")) for port in others]
        await room.trickle(place, [*mapped, *(parse_candidate(line(port)) for port in others)])
        await asyncio.sleep(0.5)
        assert not any(other.packets for other in others.values())


def distinct(count: int, start: int = 1000) -> list[RTCIceCandidate]:
    return [parse_candidate(line(start + number, "192.0.2.1")) for number in range(count)]


async def test_offer_and_patches_share_one_budget() -> None:
    async with HostedRoom("one") as room:
        answer = await room.join(await silent_offer([5000, 5001]), "Ada")
        place = room.place(Role.PUBLISH, answer.token)
        await room.trickle(place, distinct(MAX_CANDIDATES - 2))
        await room.trickle(place, distinct(MAX_CANDIDATES - 2))
        with pytest.raises(HttpRefusalError, match="at most 32 candidates") as caught:
            await room.trickle(place, distinct(1, start=3000))
        assert caught.value.status == 413


@pytest.mark.parametrize(
    "ip",
    ["224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0", "::", "127.0.0.1", "::ffff:127.0.0.1"],
)
def test_addresses_that_are_no_other_hosts_are_dropped_from_offers(ip: str) -> None:
    sdp = offer() + f"a={line(5000, ip)}\n"
    assert f" {ip} 5000" not in read_offer(sdp.encode(), "application/sdp", Role.PUBLISH).sdp


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_ports_that_do_not_exist_are_dropped_from_offers(port: str) -> None:
    sdp = offer() + f"a=candidate:1 1 udp 1 192.0.2.9 {port} typ host\n"
    assert "192.0.2.9" not in read_offer(sdp.encode(), "application/sdp", Role.PUBLISH).sdp


@pytest.mark.parametrize("name", ["ice-ufrag", "ice-pwd"])
def test_long_credentials_which_each_check_repeats_are_refused(name: str) -> None:
    sdp = offer().replace(f"a={name}:", f"a={name}:" + "x" * 256)
    with pytest.raises(HttpRefusalError, match="more than 256 characters"):
        read_offer(sdp.encode(), "application/sdp", Role.PUBLISH)
