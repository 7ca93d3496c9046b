"""External declarations must describe the real field: its type and its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.model import value_text
from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.composition.facts import Coordinate
    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import Field
    from router.composition.supergraph_model import MergedField

__all__ = ["check_externals"]


def check_externals(
    context: MergeContext, coordinate: Coordinate, merged: MergedField, sources: Sources[Field]
) -> None:
    """Report what the external declarations of a field get wrong about it."""
    external = [
        (subgraph, field)
        for subgraph, field in sources
        if context.facts[subgraph.name].is_external(*coordinate)
    ]
    differ = len({str(item[1].type) for item in sources if item not in external}) > 1
    for subgraph, field in external:
        problems = [
            *_type_problems(context, coordinate, merged, field, differ=differ),
            *_argument_problems(context, coordinate, merged, field),
        ]
        for code, problem in problems:
            context.findings.error(
                code,
                problem,
                subgraphs=(subgraph.name,),
                coordinates=(str(coordinate),),
                line=field.line,
            )


def _type_problems(
    context: MergeContext,
    coordinate: Coordinate,
    merged: MergedField,
    field: Field,
    *,
    differ: bool,
) -> Iterator[tuple[ErrorCode, str]]:
    """The external declaration may be as narrow as one of the real ones, if those ``differ``."""
    narrower = differ and context.subtypes.is_strict(field.type, merged.type)
    if field.type != merged.type and not narrower:
        yield (
            ErrorCode.EXTERNAL_TYPE_MISMATCH,
            f'Type of field "{coordinate}" is incompatible across subgraphs (where marked'
            f' @external): it has type "{merged.type}" in the supergraph but type "{field.type}"'
            " here.",
        )


def _argument_problems(
    context: MergeContext, coordinate: Coordinate, merged: MergedField, field: Field
) -> Iterator[tuple[ErrorCode, str]]:
    for name, argument in merged.arguments.items():
        given = field.arguments.get(name)
        if given is None:
            yield (
                ErrorCode.EXTERNAL_ARGUMENT_MISSING,
                f'Field "{coordinate}" is missing argument "{coordinate}({name}:)" where it is'
                " marked @external.",
            )
            continue
        wider = context.subtypes.is_strict(argument.type, given.type)
        if given.type != argument.type and not wider:
            yield (
                ErrorCode.EXTERNAL_ARGUMENT_TYPE_MISMATCH,
                f'Type of argument "{coordinate}({name}:)" is incompatible across subgraphs (where'
                f' "{coordinate}" is marked @external): it has type "{argument.type}" in the'
                f' supergraph but type "{given.type}" here.',
            )
        if value_text(given.default) != argument.default:
            yield (
                ErrorCode.EXTERNAL_ARGUMENT_DEFAULT_MISMATCH,
                f'Argument "{coordinate}({name}:)" has incompatible defaults across subgraphs'
                f' (where "{coordinate}" is marked @external).',
            )
