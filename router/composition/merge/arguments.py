"""Arguments of fields: those that every subgraph has, with the narrowest type.

A client may only give what every subgraph understands, since the planner chooses which one answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.merge.context import listed, merge_description, names_of
from router.composition.merge.directives import merge_uses
from router.composition.merge.type_refs import merge_input_type
from router.composition.model import value_text
from router.composition.supergraph_model import MergedArgument
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.hints import HintCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import Argument

__all__ = ["merge_arguments", "merge_default", "merge_input_value"]


def merge_arguments(
    context: MergeContext, coordinate: str, sources: Sources[Mapping[str, Argument]]
) -> dict[str, MergedArgument]:
    """Merge the arguments of one field (``coordinate``: ``Query.user``) or directive (``@tag``)."""
    merged: dict[str, MergedArgument] = {}
    for name in dict.fromkeys(name for _, arguments in sources for name in arguments):
        having = [
            (subgraph, arguments[name]) for subgraph, arguments in sources if name in arguments
        ]
        here = f"{coordinate}({name}:)"
        if _is_contextual(context, here, having, sources):
            continue
        if len(having) < len(sources):
            _report_missing(context, here, having, sources)
            continue
        argument = merge_input_value(context, here, having, what="argument")
        if argument is not None:
            merged[name] = argument
    return merged


def merge_input_value(
    context: MergeContext, coordinate: str, sources: Sources[Argument], *, what: str
) -> MergedArgument | None:
    """Merge an argument or input field that all the given subgraphs have."""
    types = [(subgraph, argument.type) for subgraph, argument in sources]
    merged_type = merge_input_type(context, coordinate, types, what=what)
    if merged_type is None:
        return None
    return MergedArgument(
        name=sources[0][1].name,
        description=merge_description(context, coordinate, sources),
        type=merged_type,
        default=merge_default(context, coordinate, sources, what=what),
        uses=merge_uses(context, coordinate, sources),
    )


def merge_default(
    context: MergeContext, coordinate: str, sources: Sources[Argument], *, what: str
) -> str | None:
    """The default that all subgraphs give; none at all (and a hint) when only some give one."""
    defaults = [value_text(argument.default) for _, argument in sources]
    given = dict.fromkeys(text for text in defaults if text is not None)
    if len(given) > 1:
        context.findings.error(
            ErrorCode.FIELD_ARGUMENT_DEFAULT_MISMATCH
            if what == "argument"
            else ErrorCode.INPUT_FIELD_DEFAULT_MISMATCH,
            f'{what.capitalize()} "{coordinate}" has incompatible default values across subgraphs:'
            f" it has {' and '.join(given)}.",
            subgraphs=names_of(sources),
            coordinates=(coordinate,),
        )
        return None
    if given and None in defaults:
        context.findings.hint(
            HintCode.INCONSISTENT_DEFAULT_VALUE_PRESENCE,
            f'{what.capitalize()} "{coordinate}" has a default value in only some subgraphs: will'
            " not use a default in the supergraph.",
            subgraphs=names_of(sources),
            coordinates=(coordinate,),
        )
        return None
    return next(iter(given), None)


def _is_contextual(
    context: MergeContext,
    coordinate: str,
    having: Sources[Argument],
    sources: Sources[Mapping[str, Argument]],
) -> bool:
    """Whether some subgraph fills the argument from context, so that clients never see it."""
    contextual = [
        subgraph.name
        for subgraph, argument in having
        if argument.has(FederationDirective.FROM_CONTEXT)
    ]
    if not contextual:
        return False
    plain = [(item, argument) for item, argument in having if item.name not in contextual]
    if any(argument.required for _, argument in plain):
        context.findings.error(
            ErrorCode.CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS,
            f'Argument "{coordinate}" is contextual in {listed(contextual)} but in'
            f" {listed(names_of(plain))} it is not and has no default value.",
            subgraphs=names_of(having),
            coordinates=(coordinate,),
        )
    elif plain:
        context.findings.hint(
            HintCode.CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS,
            f'Contextual argument "{coordinate}" will not be included in the supergraph since it is'
            f" contextual in {listed(contextual)} only.",
            subgraphs=names_of(having),
            coordinates=(coordinate,),
        )
    return True


def _report_missing(
    context: MergeContext,
    coordinate: str,
    having: Sources[Argument],
    sources: Sources[Mapping[str, Argument]],
) -> None:
    lacking = [name for name in names_of(sources) if name not in names_of(having)]
    required = [subgraph.name for subgraph, argument in having if argument.required]
    if required:
        context.findings.error(
            ErrorCode.REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH,
            f'Argument "{coordinate}" is required in some subgraphs but does not appear in all'
            f" subgraphs: it is required in {listed(required)} but does not appear in"
            f" {listed(lacking)}.",
            subgraphs=names_of(sources),
            coordinates=(coordinate,),
        )
        return
    context.findings.hint(
        HintCode.INCONSISTENT_ARGUMENT_PRESENCE,
        f'Optional argument "{coordinate}" will not be included in the supergraph as it does not'
        f" appear in all subgraphs: it is defined in {listed(names_of(having))} but not in"
        f" {listed(lacking)}.",
        subgraphs=names_of(sources),
        coordinates=(coordinate,),
    )
