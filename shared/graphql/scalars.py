"""Scalars of the API, and the schema configuration that puts them in force.

``DateTime`` is always UTC, ISO 8601 with microseconds and ``Z``: one instant has one spelling.
"""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

__all__ = ["DateTime", "parse_datetime", "schema_config", "serialize_datetime"]


def serialize_datetime(value: datetime) -> str:
    """``2026-01-31T12:00:00.000000Z``.

    ValueError for a time without a zone, which would be a guess.
    """
    if value.tzinfo is None:
        raise ValueError("a DateTime must have a time zone")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_datetime(value: object) -> datetime:
    """Read an ISO 8601 time with a zone."""
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is not None and parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    raise GraphQLError("DateTime must be an ISO 8601 time with a zone.")


DateTime = strawberry.scalar(
    name="DateTime",
    description="A moment in UTC, ISO 8601 with microseconds: 2026-01-31T12:00:00.000000Z",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    serialize=serialize_datetime,
    parse_value=parse_datetime,
)


def schema_config() -> StrawberryConfig:
    """The configuration that all subgraphs share."""
    return StrawberryConfig(scalar_map={datetime: DateTime})
