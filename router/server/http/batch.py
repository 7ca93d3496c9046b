"""Batches: lists of operations in one request, as Apollo's clients send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.server.errors import RequestError, RequestErrorCode
from router.server.pipeline.read import read_members

if TYPE_CHECKING:
    from router.server.pipeline.read import GraphQLRequest
    from router.server.settings import RouterSettings

__all__ = ["read_batch"]


def read_batch(parsed: list[Any], settings: RouterSettings) -> list[GraphQLRequest | RequestError]:
    """Read a batch's operations; what is wrong with one of them takes its place.

    Raises ``BATCHING_NOT_ENABLED``, ``BATCH_LIMIT_EXCEEDED``, ``BAD_REQUEST`` for an empty list.
    """
    if not settings.batching:
        raise RequestError(
            RequestErrorCode.BATCHING_NOT_ENABLED, "Batches of operations are not enabled"
        )
    if len(parsed) > settings.max_batch_size:
        raise RequestError(
            RequestErrorCode.BATCH_LIMIT_EXCEEDED,
            f"A batch has at most {settings.max_batch_size} operations, not {len(parsed)}",
        )
    if not parsed:
        raise RequestError(RequestErrorCode.BAD_REQUEST, "The batch is empty")
    return [_read(members) for members in parsed]


def _read(members: Any) -> GraphQLRequest | RequestError:
    try:
        return read_members(members)
    except RequestError as error:
        return error.again()
