"""Sources that are subscribed again: when, how often, from where, and what is said of gaps."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from router.executor import (
    ExecutorSettings,
    SubgraphRequest,
    SubgraphResponse,
    SubscriptionError,
    SubscriptionFailure,
)
from router.executor.resuming import GAP, ResumingSource
from router.executor.resumption import Resumption
from router.executor.settings import GapPolicy

FIRST = SubgraphRequest(body=b"first", headers=(("a", "b"),), connection_init={"t": 1})
AT_CURSORS = Resumption(
    head=b"",
    again_head=b'{"query":"again"',
    again_variable="after_",
    dropped=frozenset({"after"}),
    response_key="e",
    cursor_key="cursor_",
    given="after",
)


def event(cursor: str | None) -> dict[str, Any]:
    return {"data": {"e": {"cursor_": cursor}}}


def lost() -> SubscriptionError:
    return SubscriptionError(SubscriptionFailure.LOST, "lost", retryable=True)


def refused() -> SubscriptionError:
    return SubscriptionError(SubscriptionFailure.REFUSED, "refused", retryable=True)


def overflow() -> SubscriptionError:
    return SubscriptionError(SubscriptionFailure.OVERFLOW, "too fast", retryable=True)


@dataclass
class Connections:
    """A transport: each subscription gets the next script, events and at last an error or the end.

    Like the real one it announces a subscription, but not one that is refused.
    """

    scripts: Iterable[list[Any]]
    opened: list[SubgraphRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._scripts = iter(self.scripts)

    async def subscribe(
        self, request: SubgraphRequest
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        self.opened.append(request)
        script = next(self._scripts)
        first = script[0]
        is_error = isinstance(first, SubscriptionError)
        if request.announce and not (is_error and first.failure is SubscriptionFailure.REFUSED):
            yield None
        for item in script:
            if isinstance(item, SubscriptionError):
                raise item
            yield item

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        raise NotImplementedError

    async def aclose(self) -> None:
        """There is nothing to close."""

    @property
    def again(self) -> list[Any]:
        """The variables that subscriptions were opened again with, None for the first operation."""
        return [
            None if one.body == b"first" else orjson.loads(one.body)["variables"]
            for one in self.opened[1:]
        ]


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits, which take no time; each is the longest that chance allows."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("router.executor.resuming.asyncio.sleep", sleep)
    monkeypatch.setattr("router.executor.resuming.random.uniform", lambda low, high: high)
    return waited


async def take(
    transport: Connections,
    resumption: Resumption | None = AT_CURSORS,
    variables: dict[str, Any] | None = None,
    **settings: Any,
) -> tuple[list[Any], SubscriptionError | None]:
    """Return what a source yields, cursors for events, and the error that ends it."""
    source = ResumingSource(
        transport, FIRST, resumption, variables or {}, ExecutorSettings(**settings)
    )
    got: list[Any] = []
    try:
        async for item in source.events():
            got.append(item if item is GAP else item["data"]["e"]["cursor_"])
    except SubscriptionError as error:
        return got, error
    return got, None


async def test_a_lost_source_goes_on_after_the_last_cursor(delays: list[float]) -> None:
    connections = Connections([[event("1"), event("2"), lost()], [event("3")]])

    got = await take(connections, variables={"after": "0", "k": 1})

    assert got == (["1", "2", "3"], None)
    assert connections.again == [{"k": 1, "after_": "2"}]
    assert connections.opened[1].connection_init == {"t": 1}
    assert connections.opened[1].headers == (("a", "b"),)


async def test_a_client_that_began_at_a_cursor_begins_there_again(delays: list[float]) -> None:
    connections = Connections([[lost()], [event("1")]])

    assert await take(connections, variables={"after": "0"}) == (["1"], None)
    assert connections.again == [None]


async def test_an_event_without_a_cursor_leaves_the_last_one(delays: list[float]) -> None:
    connections = Connections([[event("1"), event(None), lost()], [event("2")]])

    assert await take(connections) == (["1", None, "2"], None)
    assert connections.again == [{"after_": "1"}]


@pytest.mark.parametrize("resumption", [AT_CURSORS, None])
async def test_what_has_no_cursor_ends_with_the_error(resumption: Resumption | None) -> None:
    connections = Connections([[event(None), lost()]])

    got, error = await take(connections, resumption)

    assert got == [None]
    assert error is not None
    assert error.failure is SubscriptionFailure.LOST


async def test_or_it_goes_on_and_the_gap_is_told_once_it_is_under_way(
    delays: list[float],
) -> None:
    connections = Connections([[event(None), lost()], [refused()], [event(None)]])

    got = await take(connections, None, on_gap=GapPolicy.RESUBSCRIBE)

    assert got == ([None, GAP, None], None)
    assert connections.again == [None, None]


async def test_the_first_refusal_is_told_at_once() -> None:
    connections = Connections([[refused()]])

    _, error = await take(connections, variables={"after": "0"})

    assert error is not None
    assert error.failure is SubscriptionFailure.REFUSED


async def test_a_refusal_on_purpose_is_never_tried_again(delays: list[float]) -> None:
    final = SubscriptionError(SubscriptionFailure.REFUSED, "ended")
    connections = Connections([[event("1"), lost()], [final]])

    assert await take(connections) == (["1"], final)


async def test_it_is_given_up_after_a_while(delays: list[float]) -> None:
    connections = Connections(
        itertools.chain([[event("1"), lost()]], itertools.repeat([refused()]))
    )

    got, error = await take(connections, resubscribe_timeout=4.0)

    assert got == ["1"]
    assert error is not None
    assert error.failure is SubscriptionFailure.LOST
    assert max(delays) <= 4.0


async def test_nothing_is_tried_again_where_that_is_off() -> None:
    connections = Connections([[event("1"), lost()]])

    _, error = await take(connections, resubscribe_timeout=0.0)

    assert error is not None


async def test_waits_grow_to_the_longest_and_begin_anew_with_an_event(
    delays: list[float],
) -> None:
    failing = [[refused()] for _ in range(5)]
    connections = Connections([[event("1"), lost()], *failing, [event("2"), lost()], [event("3")]])

    await take(connections, backoff_first=1.0, backoff_most=5.0)

    assert delays == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 1.0]


async def test_a_quiet_source_may_be_lost_any_number_of_times(delays: list[float]) -> None:
    quiet = [[lost()] for _ in range(1500)]
    connections = Connections([[event("1"), lost()], *quiet, [event("2")]])

    assert await take(connections) == (["1", "2"], None)
    assert set(delays[10:]) == {5.0}


async def test_waits_begin_anew_after_a_connection_that_held(
    delays: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(step=100.0)  # each look at it is long after the last
    monkeypatch.setattr("router.executor.resuming._now", lambda: next(clock))
    connections = Connections([[event("1"), lost()], [lost()], [lost()], [event("2")]])

    await take(connections, backoff_first=1.0, resubscribe_timeout=1000.0)

    assert delays == [1.0, 1.0, 1.0]


async def test_what_had_no_room_comes_again_at_once(delays: list[float]) -> None:
    connections = Connections([[event("1"), overflow()], [event("2"), overflow()], [event("3")]])

    assert await take(connections) == (["1", "2", "3"], None)
    assert connections.again == [{"after_": "1"}, {"after_": "2"}]
    assert delays == []


@pytest.mark.parametrize(("cursor", "times"), [("1", 2), (None, 1)])
async def test_an_overflow_without_progress_is_the_end(cursor: str | None, times: int) -> None:
    connections = Connections([[event(cursor), overflow()]] * 10)

    got, error = await take(connections, variables={"after": "0"})

    assert got == [cursor] * times
    assert error is not None
    assert error.failure is SubscriptionFailure.OVERFLOW
