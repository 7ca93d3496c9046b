"""Ordered scatter-gather: one page of a list whose rows live on every shard.

Each shard is asked for ``first + 1`` rows after its own position, the answers are merged by key
with a heap, and the cursor of an edge says where every shard goes on::

    shard-0   9 7 4 ...        page of 3, descending:  9 8 7
    shard-1   8 3 1 ...        cursor after 7:         "after 7" on both

Keyset, never an offset: rows inserted or deleted meanwhile neither shift nor repeat others. A shard
that fails keeps its old position in the cursor and so gives its rows on a later page: then they
come out of the overall order, but none is skipped. The cursor also holds the topology's epoch:
after slots have moved, positions by shard mean nothing any more and the cursor is refused.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from shared.errors import BadUserInputError
from shared.pagination.cursors import JsonValue, bad_cursor, decode_cursor, encode_cursor
from shared.sharding.errors import ShardError
from shared.sharding.gather import gather_shards
from shared.sharding.ids import ShardId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from shared.pagination.keyset import Key, Keyset
    from shared.sharding.sessions import ReadSession
    from shared.sharding.shards import Shards

__all__ = ["ScatterEdge", "ScatterPage", "ScatterQuery", "scatter"]

Row = TypeVar("Row")
Shown = TypeVar("Shown")

Positions: TypeAlias = "dict[ShardId, Key | None]"  # None: at the start


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterQuery(Generic[Row]):
    """A list over all shards.

    ``keyset`` is its order; put filters into the name, so that a cursor made under other filters is
    refused. ``key(row)`` is the row's key. ``fetch(session, after, limit)`` reads with one
    statement at most ``limit`` rows of one shard, in the list's order, whose keys come after
    ``after`` (None: from the start).
    """

    keyset: Keyset
    key: Callable[[Row], Key]
    fetch: Callable[[ReadSession, Key | None, int], Awaitable[Sequence[Row]]]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ScatterEdge(Generic[Row]):
    """A row with the cursor that continues after it."""

    node: Row
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterPage(Generic[Row]):
    """One page.

    ``failures`` are the shards that did not answer; their rows come later, so there is a next page.
    ``end_cursor`` is ``after`` itself when nothing could be read, so that asking again continues at
    the same place.
    """

    edges: tuple[ScatterEdge[Row], ...]
    has_next_page: bool
    has_previous_page: bool
    end_cursor: str | None
    failures: Mapping[ShardId, ShardError]

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first edge."""
        return self.edges[0].cursor if self.edges else None

    def map(self, transform: Callable[[Row], Shown]) -> ScatterPage[Shown]:
        """The same page with other nodes."""
        return ScatterPage(
            edges=tuple(ScatterEdge(transform(edge.node), edge.cursor) for edge in self.edges),
            has_next_page=self.has_next_page,
            has_previous_page=self.has_previous_page,
            end_cursor=self.end_cursor,
            failures=self.failures,
        )


async def scatter(
    shards: Shards,
    query: ScatterQuery[Row],
    *,
    first: int,
    after: str | None = None,
    only: Sequence[ShardId] | None = None,
) -> ScatterPage[Row]:
    """Reads one page of ``query`` over all shards, or over ``only`` some. One statement per shard.

    Raises:
        BadUserInputError: ``after`` is no cursor of this list and these shards, or older than the
            topology.
        ShardError: every shard failed.
    """
    names = tuple(only) if only is not None else shards.topology.shard_ids
    cursors = _Cursors(query.keyset, shards.topology.epoch, names)
    start = cursors.decode(after)
    answers = await gather_shards(
        shards, names, lambda session: query.fetch(session, start[session.shard], first + 1)
    )
    failures = {name: rows for name, rows in answers.items() if isinstance(rows, ShardError)}
    if len(failures) == len(names):
        raise next(iter(failures.values()))
    merged = list(_merge(query, answers))
    edges = tuple(_edges(query, cursors, start, failures, merged[:first]))
    return ScatterPage(
        edges=edges,
        has_next_page=len(merged) > first or bool(failures),
        has_previous_page=after is not None,
        end_cursor=edges[-1].cursor if edges else after,
        failures=failures,
    )


def _merge(
    query: ScatterQuery[Row], answers: Mapping[ShardId, Sequence[Row] | ShardError]
) -> Iterator[Row]:
    streams = (rows for rows in answers.values() if not isinstance(rows, ShardError))
    return heapq.merge(*streams, key=query.key, reverse=query.descending)


def _edges(
    query: ScatterQuery[Row],
    cursors: _Cursors,
    start: Positions,
    failures: Mapping[ShardId, ShardError],
    rows: Sequence[Row],
) -> Iterator[ScatterEdge[Row]]:
    later = min if query.descending else max
    for row in rows:
        key = query.key(row)
        # A shard that has caught up after a failure may give rows from before where the others are.
        positions = {
            name: old if name in failures else key if old is None else later(old, key)
            for name, old in start.items()
        }
        yield ScatterEdge(row, cursors.encode(key, positions))


@dataclass(frozen=True, slots=True)
class _Cursors:
    """Cursors over these shards: ``[epoch, key, {shard: other key, or null: from its start}]``."""

    keyset: Keyset
    epoch: int
    names: tuple[ShardId, ...]

    def encode(self, key: Key, positions: Positions) -> str:
        others: dict[str, JsonValue] = {
            name: None if other is None else self.keyset.to_json(other)
            for name, other in positions.items()
            if other != key
        }
        return encode_cursor(self._name, [self.epoch, self.keyset.to_json(key), others])

    def decode(self, cursor: str | None) -> Positions:
        if cursor is None:
            return dict.fromkeys(self.names)
        match decode_cursor(self._name, cursor):
            case [int(epoch), _, _] if epoch != self.epoch:
                message = "The data has been moved since this cursor was made. Start with page one."
                raise BadUserInputError(message, field="after")
            case [int(), key, dict(others)] if others.keys() <= set(self.names):
                everywhere = dict.fromkeys(self.names, self.keyset.from_json(key))
                return everywhere | {ShardId(name): self._key(key) for name, key in others.items()}
            case _:
                raise bad_cursor("after")

    @property
    def _name(self) -> str:
        return f"{self.keyset.name}@{','.join(self.names)}"

    def _key(self, value: JsonValue) -> Key | None:
        return None if value is None else self.keyset.from_json(value)
