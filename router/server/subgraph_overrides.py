"""What ``ROUTER_SUBGRAPH_OVERRIDES`` may say about one subgraph."""

from __future__ import annotations

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)

__all__ = ["SubgraphOverrides"]


class SubgraphOverrides(BaseModel):
    """Settings of one subgraph; what is None is as for all of them.

    The names are those of the settings without ``subgraph_``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout: PositiveFloat | None = None
    connect_timeout: PositiveFloat | None = None
    max_connections: PositiveInt | None = None
    max_waiting: NonNegativeInt | None = None
    idle_timeout: NonNegativeFloat | None = None
    max_response_bytes: PositiveInt | None = None
    compression: bool | None = None
    retries: NonNegativeInt | None = None
    retry_delay: PositiveFloat | None = None
    retry_budget: float | None = Field(default=None, ge=0.0, le=1.0)
    circuit_breaker: bool | None = None
