"""The answers of one execution, as they came.

``data[i]`` is the ``data`` of fetch *i*; ``tables[j]`` maps the representation keys of entity
call *j* to the rows (entities) it gave, ``numbers[j]`` to their places in the list that was sent.
All are only ever read after they are set: answers may be shared between requests in flight.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Final, TypeAlias

from router.executor.context import Json

__all__ = ["NULLS", "Answers", "EntityTable", "RepresentationKey"]

RepresentationKey: TypeAlias = Hashable
EntityTable: TypeAlias = Mapping[RepresentationKey, Json]


class _Nulls(dict[str, None]):
    """An object all of whose fields are null."""

    def __missing__(self, key: str) -> None:
        return None


NULLS: Final[Mapping[str, Any]] = _Nulls()
"""An object all of whose fields are null: a failed answer, an entity not asked for."""

_NO_ROWS: Final[EntityTable] = {}


class Answers:
    """What has come so far."""

    __slots__ = ("data", "numbers", "tables")

    def __init__(self, fetches: int, calls: int) -> None:
        self.data: list[Mapping[str, Json]] = [NULLS] * fetches
        self.tables: list[EntityTable] = [_NO_ROWS] * calls
        self.numbers: list[Mapping[RepresentationKey, int]] = [_NO_ROWS] * calls
