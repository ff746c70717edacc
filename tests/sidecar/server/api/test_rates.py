import pytest

from sidecar.server.api.rates import CALLERS, RateLimiter


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    limiter = RateLimiter(rate=2.0, burst=3.0)
    assert [limiter.wait("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert limiter.wait("a", 0.5) == 0.0
    assert limiter.wait("a", 0.5) == pytest.approx(0.5)


def test_callers_do_not_share() -> None:
    limiter = RateLimiter(rate=1.0, burst=1.0)
    assert limiter.wait("a", 0.0) == 0.0
    assert limiter.wait("b", 0.0) == 0.0


def test_the_number_of_buckets_is_bounded_and_an_empty_one_is_kept() -> None:
    limiter = RateLimiter(rate=0.001, burst=1.0)
    limiter.wait("greedy", 0.0)
    for number in range(CALLERS + 10):
        limiter.wait(str(number), 0.0, cost=0.1)
    assert limiter.wait("greedy", 0.0) > 0


def test_a_caller_with_a_rate_of_its_own_waits_by_that() -> None:
    limiter = RateLimiter(10.0, 40.0)
    waits = [limiter.wait("slow", 0.0, rate=0.5) for _ in range(4)]
    assert waits == [0.0, 0.0, 2.0, 2.0]
    assert limiter.wait("slow", 2.0, rate=0.5) == 0.0
    assert limiter.wait("other", 0.0, rate=99.0) == 0.0
