"""One type for a field or argument that subgraphs type differently, as far as that is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.merge.context import listed, names_of
from router.federation.codes import ErrorCode
from router.federation.hints import HintCode

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext, Sources
    from router.composition.type_refs import TypeRef

__all__ = ["merge_input_type", "merge_output_type"]


def merge_output_type(
    context: MergeContext, coordinate: str, types: Sources[TypeRef]
) -> TypeRef | None:
    """The widest of a field's types: every subgraph's answer is then a legal value of it.

    ``String!`` and ``String`` give ``String``; ``Book`` and the interface ``Media`` give ``Media``.
    None (and an error) when no subgraph's type is a supertype of all.
    """
    result = types[0][1]
    for _, other in types[1:]:
        if other == result or context.subtypes.is_strict(other, result):
            continue
        if not context.subtypes.is_strict(result, other):
            _mismatch(context, ErrorCode.FIELD_TYPE_MISMATCH, "field", coordinate, types)
            return None
        result = other
    hint = HintCode.INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE
    _hint_inconsistent(context, hint, coordinate, types, result)
    return result


def merge_input_type(
    context: MergeContext, coordinate: str, types: Sources[TypeRef], *, what: str
) -> TypeRef | None:
    """The narrowest of an argument's types: every client value is then legal in every subgraph.

    ``Int!`` and ``Int`` give ``Int!``. None (and an error) when there is no narrowest.
    """
    result = types[0][1]
    for _, other in types[1:]:
        if other == result or context.subtypes.is_strict(result, other):
            continue
        if not context.subtypes.is_strict(other, result):
            code = (
                ErrorCode.FIELD_ARGUMENT_TYPE_MISMATCH
                if what == "argument"
                else ErrorCode.FIELD_TYPE_MISMATCH
            )
            _mismatch(context, code, what, coordinate, types)
            return None
        result = other
    hint = (
        HintCode.INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE
        if what == "argument"
        else HintCode.INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE
    )
    _hint_inconsistent(context, hint, coordinate, types, result)
    return result


def _by_type(types: Sources[TypeRef]) -> dict[TypeRef, list[str]]:
    found: dict[TypeRef, list[str]] = {}
    for subgraph, ref in types:
        found.setdefault(ref, []).append(subgraph.name)
    return found


def _mismatch(
    context: MergeContext, code: ErrorCode, what: str, coordinate: str, types: Sources[TypeRef]
) -> None:
    found = " but ".join(
        f'type "{ref}" in {listed(names)}' for ref, names in _by_type(types).items()
    )
    context.findings.error(
        code,
        f'Type of {what} "{coordinate}" is incompatible across subgraphs: it has {found}.',
        subgraphs=names_of(types),
        coordinates=(coordinate,),
    )


def _hint_inconsistent(
    context: MergeContext,
    code: HintCode,
    coordinate: str,
    types: Sources[TypeRef],
    result: TypeRef,
) -> None:
    found = _by_type(types)
    if len(found) == 1:
        return
    others = " and ".join(
        f'type "{ref}" in {listed(names)}' for ref, names in found.items() if ref != result
    )
    context.findings.hint(
        code,
        f'Type of "{coordinate}" is inconsistent but compatible across subgraphs: will use type'
        f' "{result}" (from {listed(found[result])}) in supergraph but "{coordinate}" has'
        f" {others}.",
        subgraphs=names_of(types),
        coordinates=(coordinate,),
    )
