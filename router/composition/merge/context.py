"""What every merge stage is given, and the few helpers that they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from router.federation.hints import HintCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from router.composition.facts import Facts
    from router.composition.merge.compose_directive import ComposedDirectives
    from router.composition.model import Element, Subgraph, TypeDefinition
    from router.composition.result import Findings
    from router.composition.subtypes import Subtypes
    from router.composition.supergraph_model import MergedSupergraph
    from router.federation.directives import FederationDirective

__all__ = ["MergeContext", "Sources", "listed", "merge_description", "names_of"]

_T = TypeVar("_T")
Sources: TypeAlias = "Sequence[tuple[Subgraph, _T]]"
"""An element's declarations: each with the subgraph it stands in, in the subgraphs' order."""


@dataclass(slots=True, kw_only=True)
class MergeContext:
    """The input of the merge and the supergraph that it fills.

    ``graphs`` maps subgraphs to their ``join__Graph`` values, ``names`` merged directives to the
    supergraph's names for them; ``applied`` and ``built_in`` collect what was used.
    """

    subgraphs: tuple[Subgraph, ...]
    facts: Mapping[str, Facts]
    graphs: Mapping[str, str]
    findings: Findings
    supergraph: MergedSupergraph
    subtypes: Subtypes
    names: Mapping[FederationDirective, str]
    composed: ComposedDirectives
    built_in: set[str] = field(default_factory=set)
    applied: dict[FederationDirective, int] = field(default_factory=dict)

    def note_applied(self, kind: FederationDirective, subgraph: Subgraph) -> None:
        """Remember that a directive reaches the supergraph, and the first subgraph with it."""
        index = self.subgraphs.index(subgraph)
        self.applied[kind] = min(self.applied.get(kind, index), index)

    def definitions_of(self, name: str) -> list[tuple[Subgraph, TypeDefinition]]:
        """Every subgraph's definition of a type."""
        return [
            (subgraph, subgraph.types[name])
            for subgraph in self.subgraphs
            if name in subgraph.types
        ]


def names_of(sources: Iterable[tuple[Subgraph, object]]) -> tuple[str, ...]:
    """The names of the subgraphs that some sources stand in."""
    return tuple(subgraph.name for subgraph, _ in sources)


def listed(names: Iterable[str]) -> str:
    """Subgraph names for a message: ``subgraph "a"``, ``subgraphs "a" and "b"``."""
    quoted = [f'"{name}"' for name in names]
    if len(quoted) == 1:
        return f"subgraph {quoted[0]}"
    return f"subgraphs {', '.join(quoted[:-1])} and {quoted[-1]}"


def merge_description(
    context: MergeContext, coordinate: str, sources: Iterable[tuple[Subgraph, Element]]
) -> str | None:
    """The description that most subgraphs give, the first on a tie; a hint when they differ."""
    found: dict[str, list[str]] = {}
    for subgraph, element in sources:
        if element.description:
            found.setdefault(element.description, []).append(subgraph.name)
    if not found:
        return None
    best = max(found, key=lambda text: len(found[text]))
    if len(found) > 1:
        context.findings.hint(
            HintCode.INCONSISTENT_DESCRIPTION,
            f'"{coordinate}" has inconsistent descriptions across subgraphs; the supergraph uses'
            f" the one of {listed(found[best])}.",
            subgraphs=tuple(name for names in found.values() for name in names),
            coordinates=(coordinate,),
        )
    return best
