"""``@cost`` and ``@listSize``: an operation's cost is computed from them, so they must add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.model import TypeKind
from router.composition.type_refs import base_name, is_list, nullable
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.composition.facts import Facts
    from router.composition.model import DirectiveUse, Field, Subgraph
    from router.composition.result import Findings

__all__ = ["check_cost"]


def check_cost(subgraph: Subgraph, facts: Facts, findings: Findings) -> None:
    """Check costs on interfaces, and sizes of lists."""
    del facts
    for definition in subgraph.types.values():
        for field in definition.fields.values():
            coordinate = f"{definition.name}.{field.name}"
            problems = list(_list_size_problems(subgraph, field, coordinate))
            if definition.kind is TypeKind.INTERFACE and field.has(FederationDirective.COST):
                problem = f'@cost cannot be applied to interface "{coordinate}"'
                problems.append((ErrorCode.COST_APPLIED_TO_INTERFACE_FIELD, problem))
            for code, problem in problems:
                findings.error(
                    code,
                    problem,
                    subgraphs=(subgraph.name,),
                    coordinates=(coordinate,),
                    line=field.line,
                )


def _list_size_problems(
    subgraph: Subgraph, field: Field, coordinate: str
) -> Iterator[tuple[ErrorCode, str]]:
    use = field.find(FederationDirective.LIST_SIZE)
    if use is None:
        return
    sized = use.strings("sizedFields") or ()
    if not sized and not is_list(field.type):
        yield ErrorCode.LIST_SIZE_APPLIED_TO_NON_LIST, f'"{coordinate}" is not a list'
    if (use.integer("assumedSize") or 0) < 0:
        yield (
            ErrorCode.LIST_SIZE_INVALID_ASSUMED_SIZE,
            f'Assumed size of "{coordinate}" cannot be negative',
        )
    yield from _slicing_problems(use, field, coordinate)
    yield from _sized_problems(subgraph, field, sized)


def _slicing_problems(
    use: DirectiveUse, field: Field, coordinate: str
) -> Iterator[tuple[ErrorCode, str]]:
    for name in use.strings("slicingArguments") or ():
        argument = field.arguments.get(name)
        if argument is None:
            problem = f'Slicing argument "{name}" is not an argument of "{coordinate}"'
        elif str(nullable(argument.type)) != "Int":
            problem = f'Slicing argument "{coordinate}({name}:)" must be Int or Int!'
        else:
            continue
        yield ErrorCode.LIST_SIZE_INVALID_SLICING_ARGUMENT, problem


def _sized_problems(
    subgraph: Subgraph, field: Field, sized: tuple[str, ...]
) -> Iterator[tuple[ErrorCode, str]]:
    target = subgraph.types.get(base_name(field.type))
    if sized and (target is None or not target.is_composite or is_list(field.type)):
        yield (
            ErrorCode.LIST_SIZE_INVALID_SIZED_FIELD,
            f'Sized fields cannot be used because "{field.type}" is not a composite type',
        )
        return
    for name in sized:
        sized_field = target.fields.get(name) if target else None
        if sized_field is None:
            yield (
                ErrorCode.LIST_SIZE_INVALID_SIZED_FIELD,
                f'Sized field "{name}" is not a field on type "{base_name(field.type)}"',
            )
        elif not is_list(sized_field.type):
            yield (
                ErrorCode.LIST_SIZE_APPLIED_TO_NON_LIST,
                f'Sized field "{base_name(field.type)}.{name}" is not a list',
            )
