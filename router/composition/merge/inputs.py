"""Input types: the fields that every subgraph has, so that any subgraph can take the value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.merge.arguments import merge_input_value
from router.composition.merge.context import listed, names_of
from router.composition.model import TypeKind
from router.composition.supergraph_model import MergedUse
from router.federation.codes import ErrorCode
from router.federation.hints import HintCode
from router.federation.join import JoinDirective

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import Argument, TypeDefinition
    from router.composition.supergraph_model import MergedType

__all__ = ["merge_inputs"]


def merge_inputs(context: MergeContext) -> None:
    """Fill the fields of every input type."""
    for merged in context.supergraph.types.values():
        if merged.kind is TypeKind.INPUT:
            _merge_fields(context, merged)


def _merge_fields(context: MergeContext, merged: MergedType) -> None:
    sources = context.definitions_of(merged.name)
    for name in dict.fromkeys(name for _, source in sources for name in source.inputs):
        having = [
            (subgraph, source.inputs[name]) for subgraph, source in sources if name in source.inputs
        ]
        coordinate = f"{merged.name}.{name}"
        if len(having) < len(sources):
            _report_missing(context, coordinate, having, sources)
            continue
        field = merge_input_value(context, coordinate, having, what="input field")
        if field is None:
            continue
        if len({str(argument.type) for _, argument in having}) > 1:
            field.joins = [
                MergedUse(
                    JoinDirective.FIELD,
                    (("graph", context.graphs[item.name]), ("type", f'"{argument.type}"')),
                )
                for item, argument in having
            ]
        merged.inputs[name] = field
    if not merged.inputs and any(source.inputs for _, source in sources):
        context.findings.error(
            ErrorCode.EMPTY_MERGED_INPUT_TYPE,
            f'None of the fields of input object type "{merged.name}" are consistently defined in'
            " all the subgraphs defining that type. As only fields common to all subgraphs are"
            " merged, this would result in an empty type.",
            subgraphs=names_of(sources),
            coordinates=(merged.name,),
        )


def _report_missing(
    context: MergeContext,
    coordinate: str,
    having: Sources[Argument],
    sources: Sources[TypeDefinition],
) -> None:
    lacking = [name for name in names_of(sources) if name not in names_of(having)]
    required = [subgraph.name for subgraph, argument in having if argument.required]
    if required:
        context.findings.error(
            ErrorCode.REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH,
            f'Input object field "{coordinate}" is required in some subgraphs but does not appear'
            f" in all subgraphs: it is required in {listed(required)} but does not appear in"
            f" {listed(lacking)}.",
            subgraphs=names_of(sources),
            coordinates=(coordinate,),
        )
        return
    context.findings.hint(
        HintCode.INCONSISTENT_INPUT_OBJECT_FIELD,
        f'Input object field "{coordinate}" will not be added to the supergraph as it does not'
        f" appear in all subgraphs: it is defined in {listed(names_of(having))} but not in"
        f" {listed(lacking)}.",
        subgraphs=names_of(sources),
        coordinates=(coordinate,),
    )
