"""What an operator may set about execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_ERROR_EXTENSIONS", "ExecutorSettings"]

DEFAULT_ERROR_EXTENSIONS = frozenset(
    {"argument", "code", "field", "requestId", "retryAfter", "retryable"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSettings:
    """Settings of the executor.

    ``timeout`` bounds one subgraph request, in seconds; ``subgraph_timeouts`` overrides it by
    subgraph name. ``error_extensions`` are the keys of a subgraph error's ``extensions`` that
    clients get to see, ``code`` among them or not; the router's own keys (``code``, ``service``)
    are always there.
    """

    timeout: float = 30.0
    subgraph_timeouts: Mapping[str, float] = field(default_factory=dict)
    deduplicate: bool = True
    error_extensions: frozenset[str] = DEFAULT_ERROR_EXTENSIONS

    def timeout_of(self, subgraph: str) -> float:
        """Return the seconds one request to ``subgraph`` may take."""
        return self.subgraph_timeouts.get(subgraph, self.timeout)
