"""Where in the subgraphs an error about several of them is: the lines of what it names.

Rules of one subgraph know their line. Merging works on what several subgraphs say; the lines are
looked up here when it has failed, by the error's coordinates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from router.composition.model import Subgraph
    from router.composition.result import CompositionError

__all__ = ["with_places"]


def with_places(
    errors: Iterable[CompositionError], subgraphs: Iterable[Subgraph]
) -> Iterator[CompositionError]:
    """The errors, each with the lines in which its subgraphs define what it is about."""
    by_name = {subgraph.name: subgraph for subgraph in subgraphs}
    for error in errors:
        if error.line is not None or not error.coordinates:
            yield error
            continue
        concerned = error.subgraphs or tuple(by_name)
        places = (
            (name, _line_of(by_name[name], error.coordinates[0]))
            for name in concerned
            if name in by_name
        )
        found = tuple((name, line) for name, line in places if line is not None)
        yield replace(error, places=found)


def _line_of(subgraph: Subgraph, coordinate: str) -> int | None:
    """The line of the innermost element of a coordinate that the subgraph has, None without any."""
    if coordinate.startswith("@"):
        directive = subgraph.directives.get(coordinate[1:].partition("(")[0])
        return directive.line if directive else None
    type_name, _, rest = coordinate.partition(".")
    definition = subgraph.types.get(type_name)
    if definition is None:
        return None
    member, _, argument = rest.partition("(")
    field = definition.fields.get(member)
    inner = (
        field and field.arguments.get(argument.rstrip(":)")),
        field,
        definition.inputs.get(member),
        definition.values.get(member),
        definition,
    )
    return next((element.line for element in inner if element and element.line), None)
