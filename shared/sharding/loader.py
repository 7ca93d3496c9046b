"""DataLoader by ID prefix: one per entity and request.

All IDs asked for in one tick of the event loop are grouped by physical shard and read with one
statement per shard, concurrently. The answers keep the order of the keys; a missing row is None; a
failed shard fails only its own keys.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from aiodataloader import DataLoader
from typing_extensions import override

from shared.sharding.ids import EntityId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from shared.sharding.ids import ShardId
    from shared.sharding.sessions import ReadSession
    from shared.sharding.shards import Shards

__all__ = ["LoadMany", "ShardedLoader"]

V = TypeVar("V")

LoadMany: TypeAlias = "Callable[[ReadSession, Sequence[EntityId]], Awaitable[Mapping[EntityId, V]]]"
"""A repository's ``load_many_*``: one statement for these IDs, all on the session's shard."""


class ShardedLoader(DataLoader[EntityId, "V | None"], Generic[V]):
    """Loads entities by ID: ``await loader.load(id)`` is the value or None, or raises.

    One statement never has more than ``ShardSettings.batch_size`` IDs: a longer list makes several
    per shard.
    """

    def __init__(self, shards: Shards, load_many: LoadMany[V]) -> None:
        super().__init__()
        self._shards = shards
        self._load_many = load_many

    @override
    async def batch_load_fn(self, keys: list[EntityId]) -> list[V | Exception | None]:  # type: ignore[override]
        """Called with the distinct keys of one tick; an exception in the answer fails its key."""
        batches = list(self._batches(keys))
        answers = await asyncio.gather(
            *(self._load(shard, batch) for shard, batch in batches), return_exceptions=True
        )
        found: dict[EntityId, V | Exception] = {}
        for (_, batch), answer in zip(batches, answers, strict=True):
            match answer:
                case Exception():
                    found.update(dict.fromkeys(batch, answer))
                case BaseException():  # cancelled: not ours to keep
                    raise answer
                case _:
                    found.update(answer)
        return [found.get(key) for key in keys]

    def _batches(self, keys: Sequence[EntityId]) -> Iterator[tuple[ShardId, list[EntityId]]]:
        by_shard: dict[ShardId, list[EntityId]] = {}
        for key in keys:
            by_shard.setdefault(self._shards.topology.shard_of(key.slot), []).append(key)
        size = self._shards.settings.batch_size
        for shard, ids in by_shard.items():
            for start in range(0, len(ids), size):
                yield shard, ids[start : start + size]

    async def _load(self, shard: ShardId, ids: Sequence[EntityId]) -> Mapping[EntityId, V]:
        async with self._shards.read_on(shard) as session:
            return await self._load_many(session, ids)
