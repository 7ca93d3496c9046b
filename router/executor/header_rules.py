"""Which headers a subgraph gets: rules in order, each working on what those before have left.

Nothing of it runs for a router without rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import re

__all__ = [
    "HeaderRule",
    "Headers",
    "InsertHeader",
    "PropagateHeader",
    "RemoveHeader",
    "apply_rules",
]

Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropagateHeader:
    """Pass on the client's headers whose whole name matches, perhaps under another name;
    ``default`` is sent when there is none.
    """

    matching: re.Pattern[str]
    rename: str | None = None
    default: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertHeader:
    """Send a header of our own, in place of the client's."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveHeader:
    """Keep back the headers whose whole name matches."""

    matching: re.Pattern[str]


HeaderRule: TypeAlias = PropagateHeader | InsertHeader | RemoveHeader


def apply_rules(rules: tuple[HeaderRule, ...], given: Headers) -> Headers:
    """Return the headers for a subgraph, of those that the client gave; names in lower case."""
    chosen: list[tuple[str, str]] = []
    for rule in rules:
        match rule:
            case PropagateHeader():
                chosen += _propagated(rule, given, chosen)
            case InsertHeader():
                chosen = [header for header in chosen if header[0] != rule.name]
                chosen.append((rule.name, rule.value))
            case RemoveHeader():
                chosen = [header for header in chosen if not rule.matching.fullmatch(header[0])]
    return tuple(chosen)


def _propagated(
    rule: PropagateHeader, given: Headers, chosen: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    found = [(rule.rename or name, value) for name, value in given if rule.matching.fullmatch(name)]
    if not found and rule.default is not None:
        found = [rule.default]
    return [header for header in found if header not in chosen]
