"""A shared field of an abstract type: its subgraphs must be able to return the same thing.

Whichever subgraph the planner asks has to give the same object. Where the possible types differ
that is a doubt (a hint); where the subgraphs have no possible type in common it cannot be true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.facts import collect_facts
from router.composition.model import ROOT_TYPES, TypeKind
from router.composition.type_refs import base_name
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.hints import HintCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.composition.facts import Facts
    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.composition.supergraph_model import MergedSupergraph, MergedType

__all__ = ["check_runtime_types"]

_ABSTRACT = frozenset({TypeKind.INTERFACE, TypeKind.UNION})


def check_runtime_types(
    supergraph: MergedSupergraph, subgraphs: Sequence[Subgraph], findings: Findings
) -> None:
    """Compare the possible types of every field that several subgraphs resolve."""
    facts = {subgraph.name: collect_facts(subgraph) for subgraph in subgraphs}
    reachable = {
        subgraph.name: _reachable(subgraph, facts[subgraph.name]) for subgraph in subgraphs
    }
    for merged in supergraph.types.values():
        if merged.kind is not TypeKind.OBJECT:
            continue
        for field in merged.fields.values():
            returned = supergraph.types.get(base_name(field.type))
            if returned is not None and returned.kind in _ABSTRACT:
                _check(subgraphs, facts, reachable, findings, merged, field.name)


def _check(
    subgraphs: Sequence[Subgraph],
    facts: Mapping[str, Facts],
    reachable: Mapping[str, frozenset[str]],
    findings: Findings,
    merged: MergedType,
    field: str,
) -> None:
    overridden = _overridden(subgraphs, merged.name, field)
    returned = {
        subgraph.name: (subgraph, base_name(definition.fields[field].type))
        for subgraph in subgraphs
        if (definition := subgraph.types.get(merged.name)) is not None
        and field in definition.fields
        and subgraph.name not in overridden
        and merged.name in reachable[subgraph.name]
        and facts[subgraph.name].resolves(merged.name, field)
    }
    possible = {
        name: _possible_types(subgraph, type_name)
        for name, (subgraph, type_name) in returned.items()
        # An interface object stands for all implementations, whichever those are.
        if not subgraph.types[type_name].is_interface_object
    }
    if len(set(possible.values())) < 2:  # all the same
        return
    coordinate = f"{merged.name}.{field}"
    found = " and ".join(
        f'{", ".join(sorted(types)) or "none"} in subgraph "{name}"'
        for name, types in possible.items()
    )
    if frozenset.intersection(*possible.values()):
        if any(subgraph.types[name].kind not in _ABSTRACT for subgraph, name in returned.values()):
            return  # where the type is narrower, that is said by the type itself
        findings.hint(
            HintCode.INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN,
            f'Shared field "{coordinate}" has different sets of possible runtime types across'
            f" subgraphs: {found}. Make sure that it returns the same in all of them.",
            subgraphs=tuple(possible),
            coordinates=(coordinate,),
        )
        return
    findings.error(
        ErrorCode.SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES,
        f'Shared field "{coordinate}" has no intersection of possible runtime types across'
        f" subgraphs: {found}. The field cannot return the same in all of them.",
        subgraphs=tuple(possible),
        coordinates=(coordinate,),
    )


def _reachable(subgraph: Subgraph, facts: Facts) -> frozenset[str]:
    """The types whose fields the subgraph can be asked for: from its roots or by a key."""
    entities = (name for name, keys in facts.keys.items() if any(key.resolvable for key in keys))
    pending = [name for name in (*ROOT_TYPES, *entities) if name in subgraph.types]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        definition = subgraph.types[name]
        targets = {base_name(field.type) for field in definition.fields.values()}
        targets.update(definition.members)
        targets.update(item.name for item in subgraph.implementations(name))
        pending.extend(target for target in targets if target in subgraph.types)
    return frozenset(found)


def _overridden(subgraphs: Sequence[Subgraph], type_name: str, field: str) -> set[str | None]:
    """The subgraphs whose declaration of a field is overridden for good."""
    uses = (
        subgraph.types[type_name].fields[field].find(FederationDirective.OVERRIDE)
        for subgraph in subgraphs
        if type_name in subgraph.types and field in subgraph.types[type_name].fields
    )
    return {use.string("from") for use in uses if use is not None and not use.string("label")}


def _possible_types(subgraph: Subgraph, name: str) -> frozenset[str]:
    """The objects that a field of a type may return, as far as the subgraph knows."""
    definition = subgraph.types[name]
    if definition.kind is TypeKind.UNION:
        return frozenset(definition.members)
    if definition.kind is TypeKind.INTERFACE:
        return frozenset(
            item.name for item in subgraph.implementations(name) if item.kind is TypeKind.OBJECT
        )
    return frozenset({name})
