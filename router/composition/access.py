"""What ``@authenticated``, ``@requiresScopes`` and ``@policy`` together ask for, as a value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, TypeAlias

from graphql import ListValueNode, StringValueNode, parse_const_value

from router.composition.supergraph_model import MergedUse
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphql import ValueNode

__all__ = [
    "ACCESS",
    "FREE",
    "Access",
    "Alternatives",
    "access_of",
    "alternatives_of",
    "alternatives_text",
    "conjunction",
]

Alternatives: TypeAlias = frozenset[frozenset[str]]
"""Sets of which one must be held in full: ``[["a", "b"], ["c"]]`` is (a and b) or c."""

_ARGUMENTS: Final = {
    FederationDirective.REQUIRES_SCOPES: "scopes",
    FederationDirective.POLICY: "policies",
}
ACCESS: Final = frozenset({FederationDirective.AUTHENTICATED, *_ARGUMENTS})
"""The directives that restrict access."""

_NOTHING: Final[Alternatives] = frozenset({frozenset()})


def alternatives_of(value: ValueNode | None) -> Alternatives:
    """Read ``[["a", "b"], ["c"]]``."""
    if not isinstance(value, ListValueNode):
        return _NOTHING
    return frozenset(
        frozenset(item.value for item in group.values if isinstance(item, StringValueNode))
        for group in value.values
        if isinstance(group, ListValueNode)
    )


def conjunction(requirements: Iterable[Alternatives]) -> Alternatives:
    """What satisfies several requirements at once, without needless alternatives."""
    combined = {frozenset[str]().union(*choice) for choice in product(*requirements)}
    return frozenset(item for item in combined if not any(other < item for other in combined))


@dataclass(frozen=True, slots=True)
class Access:
    """Everything that must hold; ``FREE`` asks for nothing."""

    authenticated: bool = False
    scopes: Alternatives = _NOTHING
    policies: Alternatives = _NOTHING

    def __and__(self, other: Access) -> Access:
        return Access(
            self.authenticated or other.authenticated,
            conjunction([self.scopes, other.scopes]),
            conjunction([self.policies, other.policies]),
        )

    def implies(self, other: Access) -> bool:
        """Whether whoever may pass here may pass there."""
        return (
            (self.authenticated or not other.authenticated)
            and _implies(self.scopes, other.scopes)
            and _implies(self.policies, other.policies)
        )

    def uses(self, names: Mapping[FederationDirective, str]) -> list[MergedUse]:
        """The directives that ask for this, under the supergraph's names."""
        found: list[MergedUse] = []
        if self.authenticated:
            kind = FederationDirective.AUTHENTICATED
            found.append(MergedUse(names[kind], (), kind))
        for kind, argument in _ARGUMENTS.items():
            alternatives = self.scopes if argument == "scopes" else self.policies
            if alternatives != _NOTHING:
                text = alternatives_text(alternatives)
                found.append(MergedUse(names[kind], ((argument, text),), kind))
        return found


FREE: Final = Access()


def access_of(uses: Iterable[MergedUse]) -> Access:
    """What the access directives among these ask for."""
    access = FREE
    for use in uses:
        if use.kind is FederationDirective.AUTHENTICATED:
            access &= Access(authenticated=True)
        elif use.kind in _ARGUMENTS:
            argument = _ARGUMENTS[use.kind]
            found = alternatives_of(parse_const_value(dict(use.arguments)[argument]))
            access &= Access(scopes=found) if argument == "scopes" else Access(policies=found)
    return access


def alternatives_text(alternatives: Alternatives) -> str:
    """Alternatives as printed, sorted."""
    return json.dumps(sorted(sorted(group) for group in alternatives), ensure_ascii=False)


def _implies(given: Alternatives, wanted: Alternatives) -> bool:
    return all(any(need <= have for need in wanted) for have in given)
