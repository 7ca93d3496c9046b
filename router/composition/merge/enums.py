"""Enums: how the supergraph uses one decides how its values merge.

Used in answers only (or not at all): every subgraph's values, for any of them can come back. Used
in arguments only: the values all subgraphs know, for any of them can be sent. Used in both:
nothing but equality is safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.merge.context import listed, merge_description, names_of
from router.composition.merge.directives import merge_uses
from router.composition.model import TypeKind
from router.composition.supergraph_model import MergedUse, MergedValue
from router.composition.type_refs import base_name
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.hints import HintCode
from router.federation.join import JoinDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import TypeDefinition
    from router.composition.supergraph_model import MergedType

__all__ = ["merge_enums"]


def merge_enums(context: MergeContext) -> None:
    """Fill the values of every enum; fields and inputs must have been merged."""
    inputs, outputs = set(_input_names(context)), set(_output_names(context))
    for merged in context.supergraph.types.values():
        if merged.kind is TypeKind.ENUM:
            used = (merged.name in inputs, merged.name in outputs)
            _merge_values(context, merged, as_input=used[0], as_output=used[1])


def _input_names(context: MergeContext) -> Iterator[str]:
    for merged in context.supergraph.types.values():
        for argument in merged.inputs.values():
            yield base_name(argument.type)
        for field in merged.fields.values():
            yield from (base_name(argument.type) for argument in field.arguments.values())
    for directive in context.supergraph.directives.values():
        yield from (base_name(argument.type) for argument in directive.arguments.values())


def _output_names(context: MergeContext) -> Iterator[str]:
    for merged in context.supergraph.types.values():
        yield from (base_name(field.type) for field in merged.fields.values())


def _merge_values(
    context: MergeContext, merged: MergedType, *, as_input: bool, as_output: bool
) -> None:
    sources = context.definitions_of(merged.name)
    if not as_input and not as_output:
        context.findings.hint(
            HintCode.UNUSED_ENUM_TYPE,
            f'Enum type "{merged.name}" is defined but unused. It will be included in the'
            " supergraph with all the values appearing in any subgraph.",
            subgraphs=names_of(sources),
            coordinates=(merged.name,),
        )
    for name in dict.fromkeys(name for _, source in sources for name in source.values):
        having = [
            (subgraph, source.values[name]) for subgraph, source in sources if name in source.values
        ]
        coordinate = f"{merged.name}.{name}"
        value = MergedValue(
            name=name,
            description=merge_description(context, coordinate, having),
            uses=merge_uses(context, coordinate, having),
            joins=[
                MergedUse(JoinDirective.ENUM_VALUE, (("graph", context.graphs[item.name]),))
                for item, _ in having
            ],
        )
        # A hidden value can neither be sent nor shown, so it needs no agreement.
        agreed = len(having) == len(sources) or value.has(FederationDirective.INACCESSIBLE)
        if agreed or _keep(context, merged.name, name, having, sources, as_input, as_output):
            merged.values[name] = value
    if not merged.values and any(source.values for _, source in sources):
        context.findings.error(
            ErrorCode.EMPTY_MERGED_ENUM_TYPE,
            f'None of the values of enum type "{merged.name}" are defined consistently in all the'
            " subgraphs defining that type. As only values common to all subgraphs are merged,"
            " this would result in an empty type.",
            subgraphs=names_of(sources),
            coordinates=(merged.name,),
        )


def _keep(
    context: MergeContext,
    enum: str,
    value: str,
    having: Sources[object],
    sources: Sources[TypeDefinition],
    as_input: bool,
    as_output: bool,
) -> bool:
    """Whether a value that some subgraphs lack is part of the supergraph."""
    lacking = [name for name in names_of(sources) if name not in names_of(having)]
    where = f"it is defined in {listed(names_of(having))} but not in {listed(lacking)}"
    coordinates = (f"{enum}.{value}",)
    if as_input and as_output:
        context.findings.error(
            ErrorCode.ENUM_VALUE_MISMATCH,
            f'Enum type "{enum}" is used as both input type and output type, but value "{value}" is'
            f" not defined in all the subgraphs defining it: {where}.",
            subgraphs=names_of(sources),
            coordinates=coordinates,
        )
    elif as_input:
        context.findings.hint(
            HintCode.INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM,
            f'Value "{value}" of enum type "{enum}" will not be part of the supergraph as it is not'
            f" defined in all the subgraphs defining it: {where}.",
            subgraphs=names_of(sources),
            coordinates=coordinates,
        )
        return False
    else:
        context.findings.hint(
            HintCode.INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM,
            f'Value "{value}" of enum type "{enum}" has been added to the supergraph but is only'
            f" defined in a subset of the subgraphs defining it: {where}.",
            subgraphs=names_of(sources),
            coordinates=coordinates,
        )
    return True
