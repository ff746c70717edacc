import pytest
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest, RegionInfo, RegionSettings

from sidecar.rooms.livekit.leaving import REASONS, Verdict, read_leave

FOR_GOOD = {"DUPLICATE_IDENTITY", "PARTICIPANT_REMOVED", "ROOM_DELETED", "USER_REJECTED"}


def test_every_reason_of_the_protocol_is_known() -> None:
    assert set(REASONS) == set(DisconnectReason.values())
    assert all(leaving.why for leaving in REASONS.values())


@pytest.mark.parametrize("name", DisconnectReason.keys())
def test_only_what_cannot_be_helped_is_for_good(name: str) -> None:
    verdict = read_leave(LeaveRequest(reason=name)).verdict
    assert (verdict is Verdict.REFUSED) is (name in FOR_GOOD)
    assert (verdict is Verdict.OVER) is (name == "ROOM_CLOSED")


@pytest.mark.parametrize("action", [LeaveRequest.RECONNECT, LeaveRequest.RESUME])
def test_a_server_that_wants_us_back_gets_us_back(action: LeaveRequest.Action) -> None:
    leave = LeaveRequest(reason=DisconnectReason.DUPLICATE_IDENTITY, action=action)
    assert read_leave(leave).verdict is Verdict.LOST


def test_an_old_server_that_wants_us_back_says_it_in_its_way() -> None:
    leave = LeaveRequest(reason=DisconnectReason.ROOM_CLOSED, can_reconnect=True)
    assert read_leave(leave).verdict is Verdict.LOST


def test_a_reason_that_is_newer_than_this_is_a_loss() -> None:
    newer = LeaveRequest.FromString(b"\x10\xe7\x07")
    assert newer.reason == 999
    assert read_leave(newer).verdict is Verdict.LOST


def test_regions_are_told_in_their_order_without_end_cut() -> None:
    regions = [RegionInfo(url=f"wss://{number}.example") for number in range(20)]
    leave = LeaveRequest(
        action=LeaveRequest.RECONNECT, regions=RegionSettings(regions=[RegionInfo(), *regions])
    )
    servers = read_leave(leave).servers
    assert servers[0] == "wss://0.example"
    assert len(servers) < 10
