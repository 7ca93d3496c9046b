"""The rates a request has to keep to.

A request takes a token of its address and of its user before its body is read; an operation that
is ready to run takes one of the user's mutations if it is one, and as many of the user's budget as
it costs. Somebody without a token counts as a user by the address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from router.planner.plan import OperationKind
from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.rates.buckets import Draw, Rate
from router.server.limits.rates.fallback import FallbackStore
from router.server.limits.rates.memory import MemoryStore
from router.server.limits.rates.redis_store import RedisStore

if TYPE_CHECKING:
    from router.server.errors import Header
    from router.server.limits.rates.buckets import BucketStore
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics

__all__ = ["RATE_HEADERS", "Caller", "RateLimiter", "make_rate_limiter"]

RATE_HEADERS = ("ratelimit", "ratelimit-policy", "retry-after")

Headers: TypeAlias = "tuple[Header, ...]"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an address in the form of ``addresses.rate_key``, and a verified user if any."""

    address: str
    user: str | None = None

    @property
    def user_key(self) -> str:
        """Whose the user's buckets are."""
        return f"ip:{self.address}" if self.user is None else f"user:{self.user}"


class RateLimiter:
    """Takes tokens for requests and operations; raises ``RATE_LIMITED`` where there are too few.

    Rates that are None do not limit.
    """

    def __init__(
        self,
        store: BucketStore,
        *,
        address: Rate | None = None,
        user: Rate | None = None,
        mutations: Rate | None = None,
        cost: Rate | None = None,
    ) -> None:
        self._store = store
        self._address = address
        self._user = user
        self._mutations = mutations
        self._cost = cost

    async def take_request(self, caller: Caller, number: int = 1) -> Headers:
        """Take tokens for requests; returns the headers that say what is left."""
        draws = []
        if self._address is not None:
            draws.append(Draw(self._address, caller.address, number))
        if self._user is not None:
            draws.append(Draw(self._user, caller.user_key, number))
        return await self._take(draws)

    async def take_operation(
        self, caller: Caller, prepared: PreparedOperation, variables: dict[str, object]
    ) -> Headers:
        """Take tokens for an operation with these variables."""
        draws = []
        if self._mutations is not None and prepared.kind is OperationKind.MUTATION:
            draws.append(Draw(self._mutations, caller.user_key))
        if self._cost is not None and prepared.cost is not None:
            cost = prepared.cost.estimate(variables)
            draws.append(Draw(self._cost, caller.user_key, cost))
        return await self._take(draws)

    async def aclose(self) -> None:
        """Close the store."""
        await self._store.aclose()

    async def _take(self, draws: list[Draw]) -> Headers:
        if not draws:
            return ()
        verdict = await self._store.take(draws)
        policies = ", ".join(draw.rate.policy for draw in draws)
        headers = (
            (b"ratelimit-policy", policies.encode()),
            (b"ratelimit", verdict.standings(draws).encode()),
        )
        if verdict.granted:
            return headers
        wait = verdict.wait(draws)
        message = f"Too many requests; the next one is possible in {wait} seconds"
        raise RequestError(
            RequestErrorCode.RATE_LIMITED,
            message,
            status=429,
            errors=[{"message": message, "extensions": {"retryAfter": wait}}],
            headers=((b"retry-after", b"%d" % wait), *headers),
        )


def make_rate_limiter(settings: RouterSettings, metrics: Metrics) -> RateLimiter | None:
    """Return what the settings ask for; None where they set no rate."""
    texts = {
        "address": settings.rate_limit_address,
        "user": settings.rate_limit_user,
        "mutations": settings.rate_limit_mutations,
        "cost": settings.rate_limit_cost,
    }
    rates = {name: Rate.parse(name, text) for name, text in texts.items() if text is not None}
    if not rates:
        return None
    store: BucketStore = MemoryStore(settings.rate_limit_max_buckets)
    if settings.rate_limit_redis_url is not None:
        shared = RedisStore(
            settings.rate_limit_redis_url.get_secret_value(),
            timeout=settings.rate_limit_redis_timeout,
        )
        mode = settings.rate_limit_without_redis
        store = FallbackStore(shared, store, mode, metrics.rate_limit_failures)
    return RateLimiter(store, **rates)
