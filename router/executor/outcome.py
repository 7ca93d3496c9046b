"""What became of one fetch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.executor.context import Json, JsonObject
    from router.executor.errors import ExecutionErrorCode

__all__ = ["FetchFailure", "FetchOutcome"]


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """Why there is no usable answer, in words fit for clients."""

    code: ExecutionErrorCode
    message: str
    extensions: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """A subgraph's answer, its envelope checked; ``data`` and ``errors`` are untrusted inside.

    Shared between requests when identical fetches are in flight, so never changed.
    """

    data: JsonObject | None = None
    errors: tuple[Json, ...] = ()
    extensions: Json = None
    failure: FetchFailure | None = None
    status: int = 0  # of the HTTP response; 0 when there was none
    headers: tuple[tuple[str, str], ...] = ()  # of the HTTP response, names in lower case

    @property
    def is_clean(self) -> bool:
        """Whether the answer has data and no errors."""
        return not self.errors and self.failure is None and self.data is not None
