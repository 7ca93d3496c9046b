"""Whether the router can do its work: asks every subgraph the cheapest question there is.

Load balancers ask often, and several of them at a time; so one answer is shared while it is fresh.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.executor.transport.base import SubgraphRequest, TransportError

if TYPE_CHECKING:
    from router.executor.transport.base import SubgraphTransport
    from router.server.generation import Generations
    from router.server.settings import RouterSettings

__all__ = ["Readiness", "ReadinessReport"]

_QUESTION = SubgraphRequest(body=b'{"query":"{__typename}"}')


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """``subgraphs`` maps names to ``ok``, ``unreachable``, ``timeout`` or ``error``."""

    subgraphs: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether every subgraph answers."""
        return all(state == "ok" for state in self.subgraphs.values())


class Readiness:
    """Remembers the last report for a moment, and asks once for all who wait."""

    def __init__(self, generations: Generations, settings: RouterSettings) -> None:
        self._generations = generations
        self._timeout = settings.readiness_timeout
        self._fresh_for = settings.readiness_cache
        self._lock = asyncio.Lock()
        self._report = ReadinessReport({})
        self._good_until = 0.0

    async def check(self) -> ReadinessReport:
        """Return the subgraphs' state, at most ``readiness_cache`` seconds old."""
        async with self._lock:
            if time.monotonic() >= self._good_until:
                self._report = await self._ask_all()
                self._good_until = time.monotonic() + self._fresh_for
            return self._report

    def supergraph(self) -> dict[str, str | float]:
        """Return which supergraph new requests run on, by the hash of its text, and its age."""
        current = self._generations.current
        age = round(time.time() - current.loaded_at, 1)
        return {"hash": current.supergraph.digest, "age_seconds": age}

    async def _ask_all(self) -> ReadinessReport:
        with self._generations.current as generation:
            names = tuple(generation.transports)
            states = await asyncio.gather(*map(self._ask, generation.transports.values()))
        return ReadinessReport(dict(zip(names, states, strict=True)))

    async def _ask(self, transport: SubgraphTransport) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                response = await transport.execute(_QUESTION)
        except TimeoutError:
            return "timeout"
        except (TransportError, OSError):
            return "unreachable"
        # Below 500 somebody is there and answers, even if it wants a token for this question.
        return "ok" if response.status < 500 else "error"
