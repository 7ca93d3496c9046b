"""What ``@authenticated``, ``@requiresScopes`` and ``@policy`` together ask for, as a value.

Composition combines and compares these values, the server asks whether a caller satisfies them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, TypeAlias

from graphql import ListValueNode, StringValueNode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from graphql import ValueNode

__all__ = ["FREE", "NO_ALTERNATIVES", "Access", "Alternatives", "alternatives_of", "conjunction"]

Alternatives: TypeAlias = frozenset[frozenset[str]]
"""Sets of which one must be held in full: ``[["a", "b"], ["c"]]`` is (a and b) or c."""

NO_ALTERNATIVES: Final[Alternatives] = frozenset({frozenset()})
"""Asks for nothing."""


def alternatives_of(value: ValueNode | None) -> Alternatives:
    """Read ``[["a", "b"], ["c"]]``."""
    if not isinstance(value, ListValueNode):
        return NO_ALTERNATIVES
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
    scopes: Alternatives = NO_ALTERNATIVES
    policies: Alternatives = NO_ALTERNATIVES

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

    def admits(
        self, *, authenticated: bool, scopes: AbstractSet[str], policies: AbstractSet[str]
    ) -> bool:
        """Whether a caller with these scopes, for whom these policies hold, may pass."""
        return (
            (authenticated or not self.authenticated)
            and any(group <= scopes for group in self.scopes)
            and any(group <= policies for group in self.policies)
        )


FREE: Final = Access()


def _implies(given: Alternatives, wanted: Alternatives) -> bool:
    return all(any(need <= have for need in wanted) for have in given)
