"""Many items at once, each with its own failure.

The executor takes an exception in a list for that item's error. Awaiting the loader's futures in
one go, instead of handing the executor a coroutine per item, saves a task for each (a fifth of the
time of a page of a hundred).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiodataloader import DataLoader

__all__ = ["load_items"]

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


async def load_items(
    loader: DataLoader[K, V | None], keys: Iterable[K], to_item: Callable[[V], T]
) -> list[T | Exception | None]:
    """What ``to_item`` makes of each key's value, in the order of the keys: None where there is
    none, the exception where loading failed.
    """
    loaded = await asyncio.gather(*(loader.load(key) for key in keys), return_exceptions=True)
    items: list[T | Exception | None] = []
    for value in loaded:
        match value:
            case None | Exception():
                items.append(value)
            case BaseException():  # cancelled: not an item's own failure
                raise value
            case _:
                items.append(to_item(value))
    return items
