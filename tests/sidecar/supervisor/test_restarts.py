from sidecar.supervisor.restarts import RestartLimit


def test_each_restart_within_the_window_waits_twice_as_long() -> None:
    limit = RestartLimit(first=0.2, longest=1.0)
    assert [limit.next_delay(float(now)) for now in range(4)] == [0.2, 0.4, 0.8, 1.0]


def test_the_sixth_restart_within_a_minute_is_refused() -> None:
    limit = RestartLimit()
    assert all(limit.next_delay(now) is not None for now in (0.0, 10.0, 20.0, 30.0, 40.0))
    assert limit.next_delay(50.0) is None
    assert limit.total == 5


def test_restarts_long_ago_do_not_count() -> None:
    limit = RestartLimit()
    for now in (0.0, 10.0, 20.0, 30.0, 40.0):
        limit.next_delay(now)
    assert limit.next_delay(60.0) is not None
    assert limit.total == 6
