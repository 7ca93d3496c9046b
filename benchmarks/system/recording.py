"""Finds out which SQL the repositories run, by running them on a session that only writes it down.

So the floor is measured with the very statements of the services, also after these have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy.engine import make_url

from benchmarks.system.model import Statement
from benchmarks.system.sql_load import encode

if TYPE_CHECKING:
    from uuid import UUID

    from shared.sharding import Slot

_DIALECT = make_url("postgresql+asyncpg://").get_dialect()()


@dataclass(frozen=True, slots=True)
class _Written:
    """The result of a statement that was not run: nothing found, one row written."""

    rowcount: int = 1

    def __iter__(self) -> Any:
        return iter(())


class RecordingSession:
    """Takes the place of a session on the shard at `url`."""

    def __init__(self, url: str, slot: Slot) -> None:
        self.slot = slot
        self._url = url
        self._written: list[tuple[str, list[object]]] = []

    async def execute(self, statement: Any, parameters: dict[str, Any] | None = None) -> _Written:
        """Write a statement down."""
        given = parameters or {}
        compiled = statement.compile(dialect=_DIALECT, column_keys=list(given) or None)
        values = compiled.construct_params(given)
        arguments = [_as_argument(values[name]) for name in compiled.positiontup or ()]
        self._written.append((str(compiled), arguments))
        return _Written()

    def statements(self, *new: UUID) -> list[Statement]:
        """What was written down; the UUIDs in `new` are to be others in every run."""
        numbers = {value: number for number, value in enumerate(new)}
        return [
            Statement(url=self._url, sql=sql, arguments=[encode(a, numbers) for a in arguments])
            for sql, arguments in self._written
        ]


def _as_argument(value: Any) -> object:
    return orjson.dumps(value).decode() if isinstance(value, dict) else value
