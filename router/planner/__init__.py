"""Operation in, query plan out."""

from router.planner.errors import PlanningError, PlanningErrorCode
from router.planner.planner import Planner

__all__ = ["Planner", "PlanningError", "PlanningErrorCode"]
