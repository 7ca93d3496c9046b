"""What the supergraph asks of whoever selects a field or type.

An interface asks what all its implementations together ask, since its fields may give any of
theirs. Composition has written that into the supergraph; supergraphs of older tools lack it, so it
is made certain here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from router.federation.access import FREE
from router.supergraph import TypeKind

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from router.federation.access import Access
    from router.supergraph import Supergraph, SupergraphType

__all__ = ["AccessRules", "Requirement"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """``all_of`` must hold, and one of ``one_of`` unless that is empty."""

    all_of: Access = FREE
    one_of: frozenset[Access] = frozenset()

    def admits(
        self, *, authenticated: bool, scopes: AbstractSet[str], policies: AbstractSet[str]
    ) -> bool:
        """Whether a caller with these scopes, for whom these policies hold, may pass."""
        if not self.all_of.admits(authenticated=authenticated, scopes=scopes, policies=policies):
            return False
        return not self.one_of or any(
            access.admits(authenticated=authenticated, scopes=scopes, policies=policies)
            for access in self.one_of
        )

    @property
    def policies(self) -> frozenset[str]:
        """Every policy that the answer may depend on."""
        return frozenset(
            policy
            for access in (self.all_of, *self.one_of)
            for group in access.policies
            for policy in group
        )


class AccessRules:
    """The access rules of one supergraph, by what a client selects."""

    def __init__(self, supergraph: Supergraph) -> None:
        self._supergraph = supergraph
        self._types: dict[str, Access] = {}
        self._fields: dict[tuple[str, str], Access] = {}
        self.is_open = all(
            type_.access == FREE and all(field.access == FREE for field in type_.fields.values())
            for type_ in supergraph.types.values()
        )
        """Whether nothing is restricted."""

    def type(self, name: str) -> Access:
        """What a type asks of whoever reads fields of its objects, or its values."""
        found = self._types.get(name)
        if found is None:
            type_ = self._supergraph.types.get(name)
            found = FREE if type_ is None else self._with_implementations(type_, None)
            self._types[name] = found
        return found

    def field(self, parent: str, name: str) -> Access:
        """What the type ``parent`` and its field together ask, without the type of its value."""
        found = self._fields.get((parent, name))
        if found is None:
            type_ = self._supergraph.types[parent]
            found = self.type(parent) & self._with_implementations(type_, name)
            self._fields[parent, name] = found
        return found

    def any_object(self, name: str) -> frozenset[Access]:
        """What the possible types of an abstract type ask, one of which a caller has to satisfy to
        see any object at all; empty when some of them ask nothing.
        """
        rules = frozenset(map(self.type, self._supergraph.possible_types(name)))
        return frozenset() if FREE in rules else rules

    def _with_implementations(self, type_: SupergraphType, field: str | None) -> Access:
        rules = [_own(type_, field)]
        if type_.kind is TypeKind.INTERFACE:
            possible = sorted(self._supergraph.possible_types(type_.name))
            rules += (_own(self._supergraph.types[name], field) for name in possible)
        kept: list[Access] = []
        for rule in rules:  # what is implied already would only make the conjunction slow
            if not any(other.implies(rule) for other in kept):
                kept.append(rule)
        return reduce(and_, kept, FREE)


def _own(type_: SupergraphType, field: str | None) -> Access:
    if field is None:
        return type_.access
    known = type_.fields.get(field)
    return FREE if known is None else known.access
