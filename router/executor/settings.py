"""What an operator may set about execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from router.executor.traffic.policy import SubgraphPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.executor.header_rules import HeaderRule
    from router.executor.masking import ErrorMasking

__all__ = ["DEFAULT_ERROR_EXTENSIONS", "ExecutorSettings"]

DEFAULT_ERROR_EXTENSIONS = frozenset(
    {"argument", "code", "field", "requestId", "retryAfter", "retryable"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSettings:
    """Settings of the executor.

    ``policy`` is how subgraphs are treated, ``policies`` overrides it by subgraph name.
    ``deadline_header`` is the header that tells a subgraph how many milliseconds its answer is
    waited for; empty for none. ``header_rules`` choose among a request's headers, by
    subgraph name; one without rules gets all. ``error_extensions`` are the keys of a subgraph
    error's ``extensions`` that clients get to see, ``code`` among them or not; the router's own
    keys (``code``, ``service``) are always there. ``masking`` decides which of their messages are
    shown; None: all.
    """

    policy: SubgraphPolicy = field(default_factory=SubgraphPolicy)
    policies: Mapping[str, SubgraphPolicy] = field(default_factory=dict)
    deadline_header: str = ""
    header_rules: Mapping[str, tuple[HeaderRule, ...]] = field(default_factory=dict)
    deduplicate: bool = True
    error_extensions: frozenset[str] = DEFAULT_ERROR_EXTENSIONS
    masking: ErrorMasking | None = None
