"""The values that the benchmark's processes exchange; JSON between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One prepared GraphQL request."""

    body: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement as asyncpg takes it; arguments in JSON form (see `sql_load`)."""

    url: str
    sql: str
    arguments: list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRequest:
    """The statements of one operation: stages in order, the statements of one stage at once.

    A transaction has one stage, whose statements run in order on one connection.
    """

    stages: list[list[Statement]]
    transaction: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the workload, as GraphQL and as SQL; requests are taken in turn."""

    name: str
    http: list[HttpRequest]
    sql: list[SqlRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a load process saw. Latencies in milliseconds."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p95: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def measure(latencies: list[float], errors: int, seconds: float) -> Measurement:
    """Sum up latencies (seconds)."""
    ordered = sorted(latencies)

    def percentile(share: float) -> float:
        if not ordered:
            return float("nan")
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    return Measurement(
        requests=len(ordered),
        errors=errors,
        seconds=seconds,
        p50=percentile(0.50),
        p95=percentile(0.95),
        p99=percentile(0.99),
    )
