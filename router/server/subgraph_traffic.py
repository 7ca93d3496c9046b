"""From settings to what executor and transports need to know of each subgraph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.executor import BreakerPolicy, ExecutorSettings, RetryPolicy, SubgraphPolicy
from router.executor.masking import ErrorMasking
from router.executor.transport import TransportSettings
from router.server.header_rules import rules_for

if TYPE_CHECKING:
    from collections.abc import Collection

    from router.server.settings import RouterSettings

__all__ = ["executor_settings", "transport_settings"]


def executor_settings(settings: RouterSettings, subgraphs: Collection[str]) -> ExecutorSettings:
    """Return the executor's settings for a supergraph of these subgraphs."""
    forwarded = (*settings.client_headers, *settings.mutation_headers)
    if settings.client_address_forwarded_as is not None:
        forwarded += (settings.client_address_forwarded_as,)
    return ExecutorSettings(
        policies={name: _policy(settings, name) for name in subgraphs},
        deadline_header=settings.deadline_header,
        header_rules={
            name: rules_for(name, forwarded, settings.header_rules)
            for name in subgraphs
            if settings.header_rules
        },
        deduplicate=settings.deduplicate,
        error_extensions=frozenset(settings.subgraph_error_extensions),
        masking=_masking(settings),
        cursors=settings.cursor_rules,
        resubscribe_timeout=settings.subscription_resubscribe_timeout,
        on_gap=settings.subscription_on_gap,
        ignored_headers=frozenset(settings.subscription_ignored_headers),
    )


def transport_settings(settings: RouterSettings, subgraph: str) -> TransportSettings:
    """Return the settings of a subgraph's connections."""

    def chosen(name: str) -> Any:
        return _chosen(settings, subgraph, name)

    return TransportSettings(
        max_connections=chosen("max_connections"),
        max_waiting=chosen("max_waiting"),
        connect_timeout=chosen("connect_timeout"),
        keep_alive=chosen("idle_timeout"),
        max_response_size=chosen("max_response_bytes"),
        compression=chosen("compression"),
        ping_interval=settings.subgraph_ping_interval,
        ping_timeout=settings.subgraph_ping_interval,
    )


def _masking(settings: RouterSettings) -> ErrorMasking | None:
    codes = settings.subgraph_error_codes
    if codes is not None:
        return ErrorMasking(frozenset(codes))
    return ErrorMasking() if settings.masks_subgraph_errors else None


def _policy(settings: RouterSettings, subgraph: str) -> SubgraphPolicy:
    retry = RetryPolicy(
        attempts=_chosen(settings, subgraph, "retries"),
        delay=_chosen(settings, subgraph, "retry_delay"),
        budget=_chosen(settings, subgraph, "retry_budget"),
    )
    breaker = BreakerPolicy(
        window=settings.circuit_breaker_window,
        min_requests=settings.circuit_breaker_min_requests,
        failure_rate=settings.circuit_breaker_failure_rate,
        open_for=settings.circuit_breaker_open,
    )
    override = settings.subgraph_overrides.get(subgraph)
    breaks = None if override is None else override.circuit_breaker
    return SubgraphPolicy(
        timeout=_chosen(settings, subgraph, "timeout"),
        retry=retry,
        breaker=breaker if (settings.circuit_breaker if breaks is None else breaks) else None,
    )


def _chosen(settings: RouterSettings, subgraph: str, name: str) -> Any:
    """Return a subgraph's own value of a setting, else that of all; both have been validated."""
    override = getattr(settings.subgraph_overrides.get(subgraph), name, None)
    return getattr(settings, f"subgraph_{name}") if override is None else override
