from sidecar.cluster.report_log import ReportLog
from sidecar.supervisor.control import EventReport, StateReport, StatsReport
from sidecar.supervisor.values import RoomState, RoomStats


def test_reports_wait_in_order_until_they_are_acknowledged() -> None:
    log = ReportLog(8)
    for number in range(3):
        log.put(EventReport(event={"number": number}))
    assert [one.number for one in log.waiting] == [1, 2, 3]
    log.acknowledge(2)
    assert [one.report for one in log.waiting] == [EventReport(event={"number": 2})]
    log.acknowledge(1)
    assert len(log.waiting) == 1


def test_only_the_newest_numbers_wait() -> None:
    log = ReportLog(8)
    for ticks in range(3):
        log.put(StatsReport(stats=RoomStats(ticks=ticks)))
    assert [one.report for one in log.waiting] == [StatsReport(stats=RoomStats(ticks=2))]


def test_a_full_log_drops_the_oldest_events_and_no_state() -> None:
    log = ReportLog(3)
    log.put(StateReport(state=RoomState.LIVE))
    for number in range(5):
        log.put(EventReport(event={"number": number}))
    first, *rest = [one.report for one in log.waiting]
    assert first == StateReport(state=RoomState.LIVE)
    assert rest == [EventReport(event={"number": number}) for number in (3, 4)]
    assert log.dropped == 3
