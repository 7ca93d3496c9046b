"""Waits and budget of retries."""

from __future__ import annotations

import pytest

from router.executor import RetryPolicy
from router.executor.traffic.retries import RetryBudget, retry_after, retry_delay


@pytest.mark.parametrize(
    ("attempt", "longest"), [(1, 0.05), (2, 0.1), (3, 0.2), (9, 1.0), (5000, 1.0)]
)
def test_waits_are_random_up_to_a_bound_that_doubles(attempt: int, longest: float) -> None:
    waits = [retry_delay(RetryPolicy(), attempt) for _ in range(300)]
    assert 0.0 <= min(waits) < 0.2 * longest
    assert 0.8 * longest < max(waits) <= longest


def test_the_budget_is_a_share_of_the_requests_above_a_reserve() -> None:
    budget = RetryBudget(0.1)
    assert [budget.take() for _ in range(11)] == [True] * 10 + [False]
    for _ in range(25):
        budget.add_request()
    assert [budget.take() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("Fri, 31 Dec 2027 23:59:59 GMT", 0.0), ("-1", 0.0), ("", 0.0), ("9" * 20, 0.0)],
)
def test_retry_after_counts_in_seconds(value: str, seconds: float) -> None:
    assert retry_after((("date", "1"), ("retry-after", value))) == seconds
