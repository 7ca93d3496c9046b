"""The comparison of two supergraphs. This file is the list of its parts.

1. ``api``         what clients may ask (the API schemas)
2. ``access``      who may ask it
3. ``cost``        what it costs
4. ``federation``  which subgraph answers it, and how the router gets there
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from router.compat.access import access_changes
from router.compat.api import api_changes
from router.compat.cost import cost_changes
from router.compat.federation import federation_changes
from router.compat.model import Change, Report

if TYPE_CHECKING:
    from router.compat.version import Version

__all__ = ["COMPARISONS", "compare"]

Comparison: TypeAlias = Callable[["Version", "Version"], Iterator[Change]]

COMPARISONS: tuple[Comparison, ...] = (
    api_changes,
    access_changes,
    cost_changes,
    federation_changes,
)


def compare(before: Version, after: Version) -> Report:
    """Everything that the step from ``before`` to ``after`` changes."""
    return Report(tuple(change for part in COMPARISONS for change in part(before, after)))
