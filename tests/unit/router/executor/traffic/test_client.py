"""Requests to one subgraph: tried again, refused, timed out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from router.executor import (
    BreakerPolicy,
    CircuitState,
    ExecutionErrorCode,
    RetryPolicy,
    SubgraphPolicy,
    SubgraphRequest,
    SubgraphResponse,
)
from router.executor.outcome import FetchOutcome
from router.executor.traffic.client import SubgraphClient
from router.executor.transport import NotReachedError, TooManyWaitingError
from router.executor.transport.base import ConnectionLostError
from tests.federation.harness.scripted import ScriptedTransport

QUERY = SubgraphRequest(body=b"{}", repeatable=True)
MUTATION = SubgraphRequest(body=b"{}")
OK = {"data": {"n": 1}}
GONE = NotReachedError("The subgraph cannot be reached.")
RETRIES = SubgraphPolicy(retry=RetryPolicy(attempts=2, delay=0.001))


def status(code: int, headers: tuple[tuple[str, str], ...] = ()) -> SubgraphResponse:
    return SubgraphResponse(code, b"<html>", headers)


@dataclass
class Observer:
    events: list[str] = field(default_factory=list)

    def retried(self, subgraph: str) -> None:
        self.events.append(f"retried {subgraph}")

    def refused(self, subgraph: str) -> None:
        self.events.append(f"refused {subgraph}")

    def circuit_changed(self, subgraph: str, state: CircuitState) -> None:
        self.events.append(f"{subgraph} {state}")


async def ask(
    answers: list[Any],
    policy: SubgraphPolicy = RETRIES,
    request: SubgraphRequest = QUERY,
    *,
    seconds: float = 10.0,
) -> tuple[FetchOutcome, int]:
    """Return the outcome and the number of requests made."""
    transport = ScriptedTransport(answers)
    client = SubgraphClient("s", transport, policy, deadline_header="", observer=Observer())
    outcome = await client.send(request, asyncio.get_running_loop().time() + seconds)
    return outcome, len(transport.requests)


def code(outcome: FetchOutcome) -> str | None:
    return None if outcome.failure is None else outcome.failure.code


@pytest.mark.parametrize("trouble", [GONE, status(502), status(503), status(504)])
async def test_a_query_that_did_not_reach_the_subgraph_is_sent_again(trouble: Any) -> None:
    outcome, requests = await ask([trouble, trouble, OK])
    assert outcome.data == {"n": 1}
    assert requests == 3


async def test_there_are_so_many_retries_and_no_more() -> None:
    outcome, requests = await ask([GONE])
    assert code(outcome) == ExecutionErrorCode.SUBREQUEST_HTTP_ERROR
    assert requests == 3


@pytest.mark.parametrize(
    "trouble",
    [
        status(429, (("retry-after", "0"),)),
        status(500),
        status(404),
        SubgraphResponse(200, b"<html>"),
        ConnectionLostError("broke off"),
        TooManyWaitingError("full"),
    ],
)
async def test_what_a_retry_would_not_help_is_not_sent_again(trouble: Any) -> None:
    outcome, requests = await ask([trouble, OK])
    assert code(outcome) is not None
    assert requests == 1


@pytest.mark.parametrize("trouble", [GONE, status(503)])
async def test_a_mutation_is_never_sent_again(trouble: Any) -> None:
    outcome, requests = await ask([trouble, OK], request=MUTATION)
    assert code(outcome) == ExecutionErrorCode.SUBREQUEST_HTTP_ERROR
    assert requests == 1


async def test_there_is_no_retry_that_would_come_after_the_deadline() -> None:
    asked_to_wait = status(503, (("retry-after", "60"),))
    outcome, requests = await ask([asked_to_wait, OK], seconds=5.0)
    assert outcome.status == 503
    assert requests == 1


async def test_retries_stay_within_their_budget() -> None:
    policy = SubgraphPolicy(retry=RetryPolicy(attempts=1, delay=0.0001, budget=0.0))
    transport = ScriptedTransport([GONE])
    observer = Observer()
    client = SubgraphClient("s", transport, policy, deadline_header="", observer=observer)
    for _ in range(15):
        await client.send(QUERY, asyncio.get_running_loop().time() + 1)
    assert len(transport.requests) == 15 + 10
    assert observer.events == ["retried s"] * 10


async def test_an_open_circuit_refuses_at_once_and_closes_by_a_try() -> None:
    policy = SubgraphPolicy(breaker=BreakerPolicy(min_requests=2, open_for=0.01))
    transport = ScriptedTransport([GONE, status(503), OK])
    observer = Observer()
    client = SubgraphClient("s", transport, policy, deadline_header="", observer=observer)

    async def send() -> str | None:
        return code(await client.send(QUERY, asyncio.get_running_loop().time() + 1))

    unreachable = ExecutionErrorCode.SUBREQUEST_HTTP_ERROR
    assert [await send(), await send()] == [unreachable, unreachable]
    assert await send() == ExecutionErrorCode.SUBGRAPH_CIRCUIT_OPEN
    assert len(transport.requests) == 2
    await asyncio.sleep(0.02)  # the circuit goes by a clock, there is no event for it
    assert [await send(), await send()] == [None, None]
    assert observer.events == ["s closed", "s open", "refused s", "s half_open", "s closed"]


@pytest.mark.parametrize(
    "harmless",
    [status(429), status(500), SubgraphResponse(200, b"<html>"), TooManyWaitingError("full")],
)
async def test_what_a_single_query_can_provoke_does_not_open_the_circuit(harmless: Any) -> None:
    policy = SubgraphPolicy(breaker=BreakerPolicy(min_requests=1))
    transport = ScriptedTransport([harmless, harmless, OK])
    client = SubgraphClient("s", transport, policy, deadline_header="", observer=Observer())
    for _ in range(2):
        await client.send(QUERY, asyncio.get_running_loop().time() + 1)
    assert (await client.send(QUERY, asyncio.get_running_loop().time() + 1)).data == {"n": 1}


@pytest.mark.parametrize(("timeout", "opens"), [(0.01, True), (60.0, False)])
async def test_a_timeout_counts_unless_the_subgraph_had_no_fair_time(
    timeout: float, opens: bool
) -> None:
    policy = SubgraphPolicy(timeout=timeout, breaker=BreakerPolicy(min_requests=1))
    transport = ScriptedTransport([OK], hold=asyncio.Event())
    observer = Observer()
    client = SubgraphClient("s", transport, policy, deadline_header="", observer=observer)

    outcome = await client.send(QUERY, client.until(asyncio.get_running_loop().time() + 0.02))

    assert code(outcome) == ExecutionErrorCode.SUBGRAPH_TIMEOUT
    assert transport.cancelled == 1
    assert observer.events == (["s closed", "s open"] if opens else ["s closed"])


async def test_a_request_that_is_given_up_is_no_failure_and_frees_the_try() -> None:
    policy = SubgraphPolicy(breaker=BreakerPolicy(min_requests=1, open_for=0.001))
    transport = ScriptedTransport([GONE, OK])
    client = SubgraphClient("s", transport, policy, deadline_header="", observer=Observer())
    await client.send(QUERY, asyncio.get_running_loop().time() + 1)
    await asyncio.sleep(0.002)  # as above
    transport.hold = asyncio.Event()
    transport.arrived.clear()
    giving_up = asyncio.create_task(client.send(QUERY, asyncio.get_running_loop().time() + 1))
    await transport.arrived.wait()
    giving_up.cancel()
    await asyncio.wait([giving_up])

    transport.hold.set()

    assert (await client.send(QUERY, asyncio.get_running_loop().time() + 1)).data == {"n": 1}


async def test_a_subgraph_is_told_how_long_it_is_waited_for() -> None:
    transport = ScriptedTransport([GONE, OK])
    client = SubgraphClient(
        "s", transport, RETRIES, deadline_header="x-request-timeout-ms", observer=Observer()
    )
    request = SubgraphRequest(body=b"{}", headers=(("a", "b"),), repeatable=True)

    await client.send(request, asyncio.get_running_loop().time() + 2.0)

    for headers in transport.headers:
        assert headers[0] == ("a", "b")
        assert headers[1][0] == "x-request-timeout-ms"
        assert 1000 < int(headers[1][1]) <= 2000
    assert len(transport.headers) == 2
