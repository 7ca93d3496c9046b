"""What an operator may set about execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from router.executor.resumption import ANY_FIELD, CursorRule
from router.executor.traffic.policy import SubgraphPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.executor.header_rules import HeaderRule
    from router.executor.masking import ErrorMasking

__all__ = ["DEFAULT_CURSORS", "DEFAULT_ERROR_EXTENSIONS", "ExecutorSettings", "GapPolicy"]

DEFAULT_ERROR_EXTENSIONS = frozenset(
    {"argument", "code", "field", "requestId", "retryAfter", "retryable"}
)


DEFAULT_CURSORS = {ANY_FIELD: CursorRule("after", "cursor")}


class GapPolicy(StrEnum):
    """What becomes of a subscription that lost its source and cannot go on where it was."""

    END = "end"  # it ends with an error
    RESUBSCRIBE = "resubscribe"  # it goes on, and an error among the events says what is missing


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

    ``cursors`` say by subscription field how it is resumed (``resumption``); a lost source is
    subscribed again for ``resubscribe_timeout`` seconds (0: not at all), at first after
    ``backoff_first``, then twice as long each time up to ``backoff_most``; ``on_gap`` is for those
    that cannot be resumed. Subscriptions may share an upstream connection although they differ in
    ``ignored_headers``, which it does without.
    """

    policy: SubgraphPolicy = field(default_factory=SubgraphPolicy)
    policies: Mapping[str, SubgraphPolicy] = field(default_factory=dict)
    deadline_header: str = ""
    header_rules: Mapping[str, tuple[HeaderRule, ...]] = field(default_factory=dict)
    deduplicate: bool = True
    error_extensions: frozenset[str] = DEFAULT_ERROR_EXTENSIONS
    masking: ErrorMasking | None = None
    cursors: Mapping[str, CursorRule] = field(default_factory=lambda: DEFAULT_CURSORS)
    resubscribe_timeout: float = 60.0
    backoff_first: float = 0.2
    backoff_most: float = 5.0
    on_gap: GapPolicy = GapPolicy.END
    ignored_headers: frozenset[str] = frozenset()
