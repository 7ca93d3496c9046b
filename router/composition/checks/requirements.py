"""Arguments in ``@requires`` must be known wherever the required field is resolved.

A subgraph requires ``price(currency: "EUR")`` of others. Only arguments that all of them have are
in the supergraph, and whatever one of them demands has to be given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import FieldNode, InlineFragmentNode

from router.composition.facts import field_set_text
from router.composition.type_refs import base_name
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.field_sets import FieldSetError, parse_field_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphql import SelectionSetNode

    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.composition.supergraph_model import MergedField, MergedSupergraph

__all__ = ["check_requirements"]


def check_requirements(
    supergraph: MergedSupergraph, subgraphs: Sequence[Subgraph], findings: Findings
) -> None:
    """Report required fields whose arguments some subgraph lacks, or misses."""
    for subgraph in subgraphs:
        for type_name, field, selection, line in _requirements(subgraph):
            for problem in _problems(supergraph, type_name, selection):
                coordinate = f"{type_name}.{field}"
                findings.error(
                    ErrorCode.REQUIRES_INVALID_FIELDS,
                    f'On field "{coordinate}", for @requires: {problem}.',
                    subgraphs=(subgraph.name,),
                    coordinates=(coordinate,),
                    line=line,
                )


def _requirements(
    subgraph: Subgraph,
) -> Iterator[tuple[str, str, SelectionSetNode, int | None]]:
    for definition in subgraph.types.values():
        for field in definition.fields.values():
            use = field.find(FederationDirective.REQUIRES)
            text = field_set_text(use) if use is not None else None
            if use is None or text is None:
                continue
            try:
                yield definition.name, field.name, parse_field_set(text), use.line
            except FieldSetError:
                continue  # the subgraph's rules have reported it


def _problems(
    supergraph: MergedSupergraph, type_name: str, selection: SelectionSetNode
) -> Iterator[str]:
    merged = supergraph.types.get(type_name)
    for item in selection.selections:
        if isinstance(item, InlineFragmentNode):
            condition = item.type_condition.name.value if item.type_condition else type_name
            yield from _problems(supergraph, condition, item.selection_set)
        elif isinstance(item, FieldNode) and merged and item.name.value in merged.fields:
            field = merged.fields[item.name.value]
            yield from _argument_problems(item, field, f"{type_name}.{field.name}")
            if item.selection_set is not None:
                yield from _problems(supergraph, base_name(field.type), item.selection_set)


def _argument_problems(node: FieldNode, field: MergedField, coordinate: str) -> Iterator[str]:
    given = {argument.name.value for argument in node.arguments or ()}
    for name in sorted(given - field.arguments.keys()):
        yield (
            f'cannot provide a value for argument "{name}" of field "{coordinate}" as not every'
            " subgraph that resolves the field has that argument"
        )
    for argument in field.arguments.values():
        if argument.required and argument.name not in given:
            yield (
                f'no value provided for argument "{argument.name}" of field "{coordinate}" but a'
                " value is mandatory in some subgraph that resolves the field"
            )
