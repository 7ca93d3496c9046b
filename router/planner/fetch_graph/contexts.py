"""Where contextual arguments take their values from: which objects further up, what of them.

The value is that of the nearest object above, never of the object itself, whose type sets the
context. Which one that is may be open while planning, as where a union's members are not all
setters: then the value is asked for at each such position up to the first where every type sets
the context, and the executor takes the nearest that is there.

    trip { legs { stops { price } } }       Trip and Leg set the context: Leg's value alone is read
    trip { parts { ... { price } } }        parts are Leg | Pause, Leg sets it: Leg's, else Trip's
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.planner.plan import ContextSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from router.planner.fetch_graph.position import Position
    from router.planner.plan import RepresentationField
    from router.query_graph import Unit
    from router.supergraph import ContextArgument

__all__ = ["ContextPlace", "StepContext", "context_places"]


@dataclass(frozen=True, slots=True)
class StepContext:
    """A contextual value of a step: read from the object ``depth`` fields down its path."""

    depth: int
    value: ContextSource


@dataclass(frozen=True, slots=True)
class ContextPlace:
    """A position above whose objects may give a value, and what is needed of them.

    ``types`` are those of the objects that give it, None for all that are on the way.
    """

    position: Position
    needed: Unit
    types: frozenset[str] | None
    number: int

    def read(self, fields: Sequence[RepresentationField]) -> StepContext:
        """The value, read as what is needed is read."""
        field = next(iter(fields), None)
        value = ContextSource(number=self.number, types=self.types, field=field)
        return StepContext(len(self.position.path), value)


def context_places(
    position: Position, arguments: Sequence[ContextArgument]
) -> Iterator[ContextPlace]:
    """Every place that may give one of the arguments of a field at a position its value."""
    values = position.paths.graph.supergraph.context_values
    for argument in arguments:
        yield from _places(position, argument, values[argument.number].types)


def _places(
    position: Position, argument: ContextArgument, setters: frozenset[str]
) -> Iterator[ContextPlace]:
    field_set = position.paths.units.field_set
    below, above = position, position.parent
    while above is not None and below.parent_unit is not None:
        unit = below.parent_unit
        setting = unit.types & setters
        if setting == unit.types and (len(setting) == 1 or unit.representative == above.declared):
            # One type, or objects whose types nobody knows: an interface object stands for all.
            needed = field_set(unit.representative, argument.selection, unit.types)
            yield ContextPlace(above, needed, None, argument.number)
        else:
            # Types that were alike for what the client selects may differ in what is needed here.
            for name in sorted(setting):
                types = frozenset({name})
                needed = field_set(name, argument.selection, types)
                yield ContextPlace(above, needed, types, argument.number)
        if setting == unit.types:
            return
        below, above = above, above.parent
