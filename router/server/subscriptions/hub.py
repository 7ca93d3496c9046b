"""The live subscriptions of one generation: each source runs once, its subscribers get the events.

A *feed* is a task that runs one subscription in the executor and hands every result, as finished
JSON, to its *members*. Usually a feed has one member. Subscriptions of fields that the operator
has named as shareable have one feed for all clients whose operation, variables and forwarded
headers are equal: the subgraph has one subscription, the rest of the plan runs once per event, and
each further client costs only the sending. The last member that leaves ends the feed upstream.

Nothing here waits for a client: members take events without waiting, into bounded queues of their
own, so a slow one holds up nobody and ends alone.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import orjson
import structlog

from router.server.errors import internal_error
from router.server.pipeline.respond import encode, result_payload
from router.server.subscriptions.draining import Draining
from router.server.subscriptions.ending import STOPPING
from router.server.telemetry import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.executor import RequestContext
    from router.executor.context import ErrorDict
    from router.server.generation import Generation
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.settings import RouterSettings
    from router.server.subscriptions.ending import EndReason

__all__ = ["Member", "Subscriber", "SubscriptionHub"]

_log = structlog.get_logger(__name__)

_Key: TypeAlias = tuple[object, ...]

_EVERY_FIELD = "*"


class Subscriber(Protocol):
    """A client's subscription, as the hub sees it. No method may wait."""

    @property
    def renewal(self) -> Callable[[], None]:
        """What ends the subscription, in a way that the client begins it anew, when the supergraph
        has been replaced (see ``draining``); equal for those that end together.
        """
        ...

    def deliver(self, payload: str, *, has_errors: bool) -> None:
        """Take an event: a GraphQL response as JSON."""
        ...

    def end(self, outcome: str, errors: list[ErrorDict] | None = None) -> None:
        """Take note of the end, once: by itself, or with errors that say why there is no more."""
        ...


class Member:
    """A subscriber's place in a feed."""

    __slots__ = ("_feed", "_subscriber", "renewal")

    def __init__(self, feed: _Feed, subscriber: Subscriber) -> None:
        self._feed: _Feed | None = feed
        self._subscriber = subscriber
        self.renewal = subscriber.renewal

    def deliver(self, payload: str, *, has_errors: bool) -> None:
        """Hand an event on, unless the member has left."""
        if self._feed is not None:
            self._subscriber.deliver(payload, has_errors=has_errors)

    def leave(self) -> None:
        """Get no more events, and hear of no end; may be called again."""
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.remove(self)

    def end(self, reason: EndReason) -> None:
        """End the subscription from the router's side; the subscriber is told why."""
        self.close(Outcome.ERRORS, reason.errors())

    def close(self, outcome: str, errors: list[ErrorDict] | None = None) -> None:
        """Leave, and tell the subscriber."""
        if self._feed is not None:
            self.leave()
            self._subscriber.end(outcome, errors)


class _Feed:
    """One running subscription and who gets its events."""

    __slots__ = ("_hub", "_members", "key", "task")

    def __init__(self, hub: SubscriptionHub, key: _Key | None) -> None:
        self._hub = hub
        self._members: dict[Member, None] = {}  # in the order they came
        self.key = key
        self.task: asyncio.Task[None] | None = None

    @property
    def members(self) -> tuple[Member, ...]:
        """Who gets the events."""
        return tuple(self._members)

    def add(self, subscriber: Subscriber) -> Member:
        """Let a subscriber have the events from now on."""
        member = Member(self, subscriber)
        self._members[member] = None
        self._hub.draining.add(member.renewal)
        return member

    def remove(self, member: Member) -> None:
        """Forget a member; without any, the feed ends."""
        del self._members[member]
        self._hub.draining.remove(member.renewal)
        if not self._members:
            self._hub.forget(self)
            if self.task is not None:
                self.task.cancel()

    async def run(
        self,
        generation: Generation,
        prepared: PreparedOperation,
        variables: dict[str, Any],
        context: RequestContext,
    ) -> None:
        """Run the subscription to its end; whatever that is, the members are told."""
        debug = context.collect_extensions
        try:
            with generation:
                results = generation.executor.subscribe(prepared.program, variables, context)
                async with aclosing(results):
                    async for result in results:
                        if result.is_end:
                            self._close(Outcome.ERRORS, result.errors)
                            return
                        payload = encode(
                            result_payload(result, prepared, variables, debug=debug)
                        ).decode()
                        has_errors = bool(result.errors)
                        for member in self.members:
                            member.deliver(payload, has_errors=has_errors)
            self._close(Outcome.OK)
        except Exception:  # noqa: BLE001 - the last resort: logged, and answered with its id only
            _log.exception("subscription failed", request_id=context.request_id)
            self._close(Outcome.FAILED, internal_error(context.request_id).errors)

    def _close(self, outcome: str, errors: list[ErrorDict] | None = None) -> None:
        self._hub.forget(self)
        self.task = None  # it ends by itself: the last member is not to cancel it
        for member in self.members:
            member.close(outcome, errors)


class SubscriptionHub:
    """All subscriptions that run on one generation."""

    def __init__(self, settings: RouterSettings) -> None:
        self._shared_fields = frozenset(settings.subscription_shared_fields)
        self._ignored_headers = frozenset(settings.subscription_ignored_headers)
        self.draining = Draining()
        self._shared: dict[_Key, _Feed] = {}
        self._feeds: set[_Feed] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody who subscribes at present, the longest-standing feeds in no order."""
        return tuple(member for feed in self._feeds for member in feed.members)

    def join(
        self,
        generation: Generation,
        prepared: PreparedOperation,
        variables: dict[str, Any],
        context: RequestContext,
        subscriber: Subscriber,
    ) -> Member:
        """Subscribe. The first event, or the end, comes after this has returned."""
        key = None
        if self._shared_fields and not context.collect_extensions:
            key = self._key(generation, prepared, variables, context)
        feed = self._shared.get(key) if key is not None else None
        if feed is not None:
            return feed.add(subscriber)
        feed = _Feed(self, key)
        member = feed.add(subscriber)
        self._feeds.add(feed)
        if key is not None:
            self._shared[key] = feed
        task = asyncio.get_running_loop().create_task(
            feed.run(generation, prepared, variables, context)
        )
        feed.task = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return member

    def forget(self, feed: _Feed) -> None:
        """Take no more members into a feed that ends."""
        self._feeds.discard(feed)
        if feed.key is not None and self._shared.get(feed.key) is feed:
            del self._shared[feed.key]

    def end_all(self, reason: EndReason) -> None:
        """End every subscription from the router's side."""
        for member in self.members:
            member.end(reason)

    async def aclose(self) -> None:
        """End every subscription and wait until it has ended upstream too."""
        self.end_all(STOPPING)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _key(
        self,
        generation: Generation,
        prepared: PreparedOperation,
        variables: dict[str, Any],
        context: RequestContext,
    ) -> _Key | None:
        """Return what equal subscriptions have in common, None for one that is not shared.

        One that asks for a replay from a cursor never is: who joins later would miss it.
        """
        field = generation.executor.live_field(prepared.program, variables)
        if field is None or self._shared_fields.isdisjoint({field, _EVERY_FIELD}):
            return None
        headers = tuple(pair for pair in context.headers if pair[0] not in self._ignored_headers)
        return prepared.program, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS), headers
