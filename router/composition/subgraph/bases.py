"""Every extension needs something to extend: a definition of the type in some subgraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.model import ROOT_TYPES
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.model import Subgraph, TypeDefinition
    from router.composition.result import Findings

__all__ = ["check_bases"]


def check_bases(subgraphs: Sequence[Subgraph], findings: Findings) -> None:
    """Report extensions of types that no subgraph defines; the root types need no definition."""
    defining: dict[str, list[Subgraph]] = {}
    for subgraph in subgraphs:
        for definition in subgraph.types.values():
            if not definition.is_extension or definition.has(FederationDirective.EXTENDS):
                defining.setdefault(definition.name, []).append(subgraph)
    for subgraph in subgraphs:
        for definition in subgraph.types.values():
            bases = defining.get(definition.name, [])
            if definition.name in ROOT_TYPES or _has_base(subgraph, definition, bases):
                continue
            findings.error(
                ErrorCode.EXTENSION_WITH_NO_BASE,
                f'Type "{definition.name}" is an extension type, but there is no type definition'
                f' for "{definition.name}" in any subgraph.',
                subgraphs=(subgraph.name,),
                coordinates=(definition.name,),
                line=definition.line,
            )


def _has_base(subgraph: Subgraph, definition: TypeDefinition, defining: Sequence[Subgraph]) -> bool:
    """Whether the type is defined, here or elsewhere.

    A type marked ``@extends`` is written as a definition, and counts as one for other subgraphs; in
    Federation 1 not for its own, which says that the type comes from somewhere else.
    """
    if not definition.is_extension or not subgraph.is_federation_1:
        return bool(defining)
    return any(other is not subgraph for other in defining)
