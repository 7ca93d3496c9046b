"""The same read on several shards at once: bounded, timed, failures kept apart by shard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from shared.sharding.errors import ShardError, ShardTimeoutError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from shared.sharding.ids import ShardId
    from shared.sharding.sessions import ReadSession
    from shared.sharding.shards import Shards

__all__ = ["gather_shards"]

T = TypeVar("T")


async def gather_shards(
    shards: Shards,
    names: Sequence[ShardId],
    work: Callable[[ReadSession], Awaitable[T]],
) -> dict[ShardId, T | ShardError]:
    """Runs ``work`` on each of these shards.

    A shard that fails, or takes longer than ``scatter_timeout``, answers with its error. Anything
    but a ``ShardError`` is a bug and is raised, after the others have ended.
    """
    limit = asyncio.Semaphore(shards.settings.scatter_concurrency)

    async def ask(name: ShardId) -> T | ShardError:
        async with limit:
            try:
                async with asyncio.timeout(shards.settings.scatter_timeout):
                    async with shards.read_on(name) as session:
                        return await work(session)
            except ShardError as error:
                return error
            except TimeoutError:
                return ShardTimeoutError(name)

    answers = await asyncio.gather(*map(ask, names), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, ShardError):
            raise answer
    return dict(zip(names, answers, strict=True))  # type: ignore[arg-type]  # no other exception is left
