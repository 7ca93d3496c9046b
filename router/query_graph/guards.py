"""What the search may not do because it is already doing it, and what it has found under that.

A key or a requirement that is being planned is a *token*; planning it may not need it again. So a
result depends on the tokens around it, but only on those it ran into: it holds wherever the same
ones are refused and none of those it used. Without that, a graph of keys or of requirements with n
members would be searched once for each of its up to 2^n ways to arrive somewhere.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from router.query_graph.graph import ViewNode

__all__ = ["NO_GUARD", "Guard", "Limits", "Memo", "Token", "TokenLog"]

Token: TypeAlias = tuple[str, ...]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Limits:
    """Which subgraphs may be entered for a key of one type from given views: those that can be
    entered before the one the key is for (``entry_order``).
    """

    type_name: str
    have: frozenset[ViewNode]
    targets: frozenset[ViewNode]


@dataclass(frozen=True, slots=True)
class Guard:
    """The keys and requirements being planned around a search, and its limits."""

    tokens: frozenset[Token] = frozenset()
    limits: Limits | None = None

    def with_token(self, token: Token, limits: Limits | None = None) -> Guard:
        """The guard inside a key or a requirement."""
        return Guard(self.tokens | {token}, limits or self.limits)

    def limits_at(self, type_name: str, have: frozenset[ViewNode]) -> Limits | None:
        """The limits, if they are for searches here."""
        limits = self.limits
        if limits is None or limits.type_name != type_name or limits.have != have:
            return None
        return limits


NO_GUARD = Guard()


@dataclass(slots=True)
class _Trace:
    refused: set[Token] = field(default_factory=set)
    used: set[Token] = field(default_factory=set)


class TokenLog:
    """Notes which tokens the searches under way run into."""

    def __init__(self) -> None:
        self._traces: list[_Trace] = []

    def admits(self, token: Token, guard: Guard) -> bool:
        """Whether a key or requirement may be planned under a guard."""
        admitted = token not in guard.tokens
        if self._traces:
            trace = self._traces[-1]
            (trace.used if admitted else trace.refused).add(token)
        return admitted

    @contextmanager
    def trace(self) -> Iterator[_Trace]:
        """Note what one search runs into, for it and for those around it."""
        trace = _Trace()
        self._traces.append(trace)
        try:
            yield trace
        finally:
            self._traces.pop()
            self.add(trace.refused, trace.used)

    def add(
        self, refused: set[Token] | frozenset[Token], used: set[Token] | frozenset[Token]
    ) -> None:
        """Note what a search would have run into that was not made again."""
        if self._traces:
            self._traces[-1].refused |= refused
            self._traces[-1].used |= used


@dataclass(frozen=True, slots=True)
class _Found(Generic[V]):
    value: V
    refused: frozenset[Token]
    used: frozenset[Token]

    def holds_under(self, guard: Guard) -> bool:
        return self.refused <= guard.tokens and self.used.isdisjoint(guard.tokens)


class Memo(Generic[V]):
    """Results of searches by key, with the guards under which they hold."""

    def __init__(self, log: TokenLog) -> None:
        self._log = log
        self._found: dict[Hashable, list[_Found[V]]] = {}

    def get(self, key: Hashable, guard: Guard, search: Callable[[], V]) -> V:
        """The result for a key under a guard, searched for once."""
        known = self._found.setdefault(key, [])
        for found in known:
            if found.holds_under(guard):
                self._log.add(found.refused, found.used)
                return found.value
        with self._log.trace() as trace:
            value = search()
        # What was refused for a token added further in is the search's own affair.
        known.append(_Found(value, guard.tokens & trace.refused, frozenset(trace.used)))
        return value
