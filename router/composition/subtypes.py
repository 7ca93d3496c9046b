"""Which types are subtypes of which."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.composition.type_refs import ListRef, NamedRef, NonNullRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.composition.model import Subgraph
    from router.composition.type_refs import TypeRef

__all__ = ["Subtypes"]


@dataclass(frozen=True, slots=True)
class Subtypes:
    """The interfaces and unions of every type, as one or several subgraphs define them."""

    supertypes: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, subgraphs: Iterable[Subgraph]) -> Subtypes:
        """Collect what any subgraph says about unions and interfaces."""
        found: dict[str, set[str]] = defaultdict(set)
        for subgraph in subgraphs:
            for definition in subgraph.types.values():
                found[definition.name].update(definition.interfaces)
                for member in definition.members:
                    found[member].add(definition.name)
        return cls({name: frozenset(names) for name, names in found.items()})

    def is_strict(self, sub: TypeRef, sup: TypeRef) -> bool:
        """Whether ``sub`` fits wherever ``sup`` is promised, and is not the same."""
        match sub, sup:
            case NonNullRef(a), NonNullRef(b):
                return self.is_strict(a, b)
            case NonNullRef(a), (NamedRef() | ListRef()):
                return a == sup or self.is_strict(a, sup)
            case ListRef(a), ListRef(b):
                return self.is_strict(a, b)
            case NamedRef(a), NamedRef(b):
                return b in self.supertypes.get(a, ())
            case _:
                return False
