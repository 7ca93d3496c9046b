"""The circuit breaker, by a clock of its own."""

from __future__ import annotations

from router.executor import BreakerPolicy, CircuitState
from router.executor.traffic.circuit_breaker import CircuitBreaker

POLICY = BreakerPolicy(window=10.0, min_requests=4, failure_rate=0.5, open_for=5.0)


class Circuit:
    """A breaker, its clock and its history."""

    def __init__(self) -> None:
        self.now = 0.0
        self.states: list[CircuitState] = []
        self.breaker = CircuitBreaker(POLICY, self.states.append, lambda: self.now)

    def run(self, outcomes: str) -> None:
        """Send requests one after the other: ``.`` is answered, ``x`` fails."""
        for outcome in outcomes:
            era = self.breaker.let_through()
            assert era is not None
            self.breaker.record(era, failed=outcome == "x")

    @property
    def passes(self) -> bool:
        return self.breaker.let_through() is not None


def test_it_opens_at_the_failure_rate_and_not_below() -> None:
    circuit = Circuit()
    circuit.run("..x.x")
    assert circuit.states == []

    circuit.run("x")

    assert circuit.states == [CircuitState.OPEN]
    assert not circuit.passes


def test_few_requests_decide_nothing() -> None:
    circuit = Circuit()
    circuit.run("xxx")
    assert circuit.passes


def test_failures_are_forgotten_after_the_window() -> None:
    circuit = Circuit()
    circuit.run("xxx")
    circuit.now = 12.0
    circuit.run("x")
    assert circuit.states == []


def test_after_a_while_one_request_tries_and_closes_it() -> None:
    circuit = Circuit()
    circuit.run("xxxx")
    circuit.now = 4.9
    assert not circuit.passes

    circuit.now = 5.0
    era = circuit.breaker.let_through()
    assert era is not None
    assert not circuit.passes, "one is enough"
    circuit.breaker.record(era, failed=False)

    assert circuit.states == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]
    circuit.run("xxx")
    assert circuit.passes, "what was before does not count any more"


def test_a_failed_try_opens_it_again() -> None:
    circuit = Circuit()
    circuit.run("xxxx")
    circuit.now = 5.0
    circuit.run("x")
    assert circuit.states == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.OPEN]
    circuit.now = 9.9
    assert not circuit.passes


def test_a_try_that_is_given_up_leaves_it_to_another() -> None:
    circuit = Circuit()
    circuit.run("xxxx")
    circuit.now = 5.0
    era = circuit.breaker.let_through()
    assert era is not None

    circuit.breaker.forget(era)

    circuit.run(".")
    assert circuit.states[-1] is CircuitState.CLOSED


def test_what_was_sent_before_it_opened_does_not_decide_the_try() -> None:
    circuit = Circuit()
    early = circuit.breaker.let_through()
    assert early is not None
    circuit.run("xxxx")
    circuit.now = 5.0
    assert circuit.passes

    circuit.breaker.record(early, failed=False)
    circuit.breaker.forget(early)

    assert circuit.states[-1] is CircuitState.HALF_OPEN
    assert not circuit.passes
