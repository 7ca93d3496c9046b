"""Stage 8, respond: results and request errors into the payload of a GraphQL response, and that
into JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from router.planner.plan_text import plan_text

if TYPE_CHECKING:
    from router.executor import ExecutionResult, PartialResult
    from router.server.errors import RequestError
    from router.server.pipeline.prepare import PreparedOperation

__all__ = ["encode", "error_payload", "partial_payload", "result_payload", "with_carried"]


def result_payload(
    result: ExecutionResult,
    prepared: PreparedOperation,
    variables: dict[str, Any],
    *,
    debug: bool,
) -> dict[str, Any]:
    """Return the response of an operation that ran; ``debug`` adds the plan, the cost where costs
    are on, and the override labels that the plan depends on, to the executor's own extensions.
    """
    payload = result.to_dict()
    if debug:
        payload["extensions"] = {**result.extensions, "plan": plan_text(prepared.plan)}
        if prepared.cost is not None:
            payload["extensions"]["cost"] = prepared.cost.report(variables)
        if prepared.plan.labels:
            payload["extensions"]["overrideLabels"] = {
                label: label in prepared.labels_on for label in sorted(prepared.plan.labels)
            }
    return payload


def with_carried(payload: dict[str, Any], carried: dict[str, str]) -> dict[str, Any]:
    """Return a response with the headers that the client is to bring next time, if any."""
    if not carried:
        return payload
    return {**payload, "extensions": {**payload.get("extensions", {}), "headers": carried}}


def partial_payload(
    result: PartialResult,
    prepared: PreparedOperation,
    variables: dict[str, Any],
    *,
    debug: bool,
) -> dict[str, Any]:
    """Return one part of a deferred answer; ``debug`` is as in ``result_payload``."""
    if result.first is None:
        return result.to_dict()
    payload = result_payload(result.first, prepared, variables, debug=debug)
    payload["hasNext"] = result.has_next
    return payload


def error_payload(error: RequestError) -> dict[str, Any]:
    """Return the response of a request that was refused: it has no ``data``."""
    return {"errors": error.errors}


def encode(payload: dict[str, Any] | list[dict[str, Any]]) -> bytes:
    """Return a payload, or a batch of them, as JSON in UTF-8."""
    return orjson.dumps(payload)
