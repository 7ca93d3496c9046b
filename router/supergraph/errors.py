"""What can be wrong with a supergraph document when it is loaded."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["SupergraphError", "SupergraphErrorCode"]


class SupergraphErrorCode(StrEnum):
    """Why a supergraph cannot be loaded."""

    INVALID_GRAPHQL = "INVALID_GRAPHQL"
    NOT_A_SUPERGRAPH = "NOT_A_SUPERGRAPH"
    UNSUPPORTED_JOIN_VERSION = "UNSUPPORTED_JOIN_VERSION"
    INVALID_JOIN = "INVALID_JOIN"
    INVALID_COST = "INVALID_COST"
    UNSUPPORTED_SECURITY_FEATURE = "UNSUPPORTED_SECURITY_FEATURE"


class SupergraphError(Exception):
    """The document is not a supergraph that this router can run."""

    def __init__(self, code: SupergraphErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
