"""Counts of what clients hold."""

import pytest

from config.errors import HttpRefusalError
from sidecar.server.quotas import ClientQuota


def test_one_client_may_hold_so_many_and_no_more() -> None:
    quota = ClientQuota("streams", 10, 2)
    quota.take("a")
    quota.take("a")
    with pytest.raises(HttpRefusalError, match="2 streams") as refused:
        quota.take("a")
    assert refused.value.status == 429
    quota.take("b")


def test_all_together_may_hold_so_many() -> None:
    quota = ClientQuota("streams", 2, 2)
    quota.take("a")
    quota.take("b")
    with pytest.raises(HttpRefusalError, match="all 2 streams") as refused:
        quota.take("c")
    assert refused.value.status == 503
    assert quota.refused == 1


def test_what_is_released_can_be_taken_again() -> None:
    quota = ClientQuota("streams", 1, 1)
    for _ in range(3):
        with quota.holding("address a", "token t"):
            assert quota.held_by("token t") == quota.taken == 1
    assert quota.held_by("address a") == quota.held_by("token t") == quota.taken == 0


def test_each_key_of_a_client_is_counted() -> None:
    quota = ClientQuota("streams", 10, 1)
    quota.take("address a", "token t")
    with pytest.raises(HttpRefusalError):
        quota.take("address b", "token t")
    assert quota.held_by("address b") == 0


def test_clients_behind_a_proxy_are_not_counted_together() -> None:
    quota = ClientQuota("streams", 5, 1)
    for _ in range(5):
        quota.take("")
    with pytest.raises(HttpRefusalError, match="all 5"):
        quota.take("")
