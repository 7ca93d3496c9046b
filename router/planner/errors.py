"""What planning can fail with."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["PlanningError", "PlanningErrorCode"]


class PlanningErrorCode(StrEnum):
    """Why an operation has no plan."""

    NO_PLAN = "QUERY_PLANNING_FAILED"
    TOO_MUCH_WORK = "QUERY_PLANNING_LIMIT_EXCEEDED"
    UNKNOWN_ROOT = "OPERATION_NOT_SUPPORTED"


class PlanningError(Exception):
    """Nothing the subgraphs offer answers the valid operation, or nothing was found in measure.

    Fails the whole request.
    """

    def __init__(self, code: PlanningErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
