"""A field must not hand out, by ``@requires`` or ``@fromContext``, what its reader may not see.

The router fetches what a field requires for the subgraph, without checking the client against the
rules of the required fields. So the field itself has to have rules at least as strict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import FieldNode, InlineFragmentNode

from router.composition.access import access_of
from router.composition.contexts import contextual_arguments, split_context_value
from router.composition.facts import field_set_text
from router.composition.type_refs import base_name
from router.federation.access import FREE
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.field_sets import FieldSetError, parse_field_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphql import SelectionSetNode

    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.composition.supergraph_model import MergedSupergraph
    from router.federation.access import Access

__all__ = ["check_transitive_access"]


def check_transitive_access(
    supergraph: MergedSupergraph, subgraphs: Sequence[Subgraph], findings: Findings
) -> None:
    """Report fields whose access rules are weaker than those of the data that they are given."""
    for subgraph in subgraphs:
        for type_name, field, source, text, read_from in _readers(subgraph):
            own = _access(supergraph, type_name, field)
            try:
                selection = parse_field_set(text)
            except FieldSetError:
                continue  # the subgraph's rules have reported it
            missing = next(
                (
                    coordinate
                    for coordinate, needed in _needs(supergraph, read_from, selection)
                    if not own.implies(needed)
                ),
                None,
            )
            if missing is not None:
                findings.error(
                    ErrorCode.MISSING_TRANSITIVE_AUTH_REQUIREMENTS,
                    f'Field "{type_name}.{field}" does not specify necessary @authenticated,'
                    " @requiresScopes and/or @policy auth requirements to access the transitive"
                    f' field "{missing}" data from @{source} selection set.',
                    subgraphs=(subgraph.name,),
                    coordinates=(f"{type_name}.{field}", missing),
                )


def _readers(subgraph: Subgraph) -> Iterator[tuple[str, str, FederationDirective, str, str]]:
    """Fields that are given data: type, name, the directive, its selection, where it is read."""
    for definition in subgraph.types.values():
        for field in definition.fields.values():
            use = field.find(FederationDirective.REQUIRES)
            text = field_set_text(use) if use else None
            if text is not None:
                kind = FederationDirective.REQUIRES
                yield definition.name, field.name, kind, text, definition.name
    setting = [
        (use.string("name"), definition.name)
        for definition in subgraph.types.values()
        for use in definition.all(FederationDirective.CONTEXT)
    ]
    for argument in contextual_arguments(subgraph):
        split = split_context_value(argument.text)
        for name, place in setting:
            if split is not None and name == split[0]:
                kind = FederationDirective.FROM_CONTEXT
                yield argument.parent.name, argument.field.name, kind, split[1], place


def _access(supergraph: MergedSupergraph, type_name: str, field: str) -> Access:
    """The rules for a field: its type's, its own, and those of what it returns."""
    merged = supergraph.types[type_name]
    known = merged.fields.get(field)
    if known is None:
        return FREE
    access = access_of(merged.uses) & access_of(known.uses)
    target = supergraph.types.get(base_name(known.type))
    return access & access_of(target.uses) if target else access


def _needs(
    supergraph: MergedSupergraph, type_name: str, selection: SelectionSetNode
) -> Iterator[tuple[str, Access]]:
    """Every field that a selection reads, with its rules."""
    for item in selection.selections:
        if isinstance(item, InlineFragmentNode):
            condition = item.type_condition.name.value if item.type_condition else type_name
            yield from _needs(supergraph, condition, item.selection_set)
        elif isinstance(item, FieldNode) and item.name.value in supergraph.types[type_name].fields:
            name = item.name.value
            yield f"{type_name}.{name}", _access(supergraph, type_name, name)
            if item.selection_set is not None:
                target = base_name(supergraph.types[type_name].fields[name].type)
                yield from _needs(supergraph, target, item.selection_set)
