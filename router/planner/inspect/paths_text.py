"""The search for paths as text: at each position what is at hand, what could be done, what is done.

::

    at products.@: Product
      wanted      estimate, name
      at hand     catalog
      candidates  estimate: computed in shipping from { price weight }
      chosen      compute estimate in shipping
      cost        1 fetch in 1 stage

Positions are those of the search: a child is seen by every subgraph that has its parent. ``cost``
includes everything below the position. A field that a view at hand resolves has no candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from router.planner.inspect.graph_text import computed_from, field_set_text
from router.planner.plan import OperationKind
from router.query_graph.guards import NO_GUARD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from router.planner.planner import Search
    from router.query_graph import Choice, OpField, Paths, QueryGraph, Unit, ViewNode

__all__ = ["paths_text"]


def paths_text(search: Search) -> str:
    """Every decision for one operation, parents before children."""
    walk = _Walk(search.paths.graph)
    units = search.units
    if search.kind is OperationKind.MUTATION:  # one field after the other
        units = [replace(unit, fields=(field,)) for unit in units for field in unit.fields]
    blocks = [
        "\n".join(block)
        for unit in units
        for block in walk.decisions(_Place(search.paths, search.root, unit, frozenset()))
    ]
    return "\n\n".join(blocks) or "Nothing is asked of a subgraph."


@dataclass(frozen=True, slots=True)
class _Place:
    """A unit at a position, and the views that the position's search has there."""

    paths: Paths
    path: str
    unit: Unit
    views: frozenset[ViewNode]


class _Walk:
    def __init__(self, graph: QueryGraph) -> None:
        self._graph = graph

    def decisions(self, place: _Place) -> Iterator[list[str]]:
        choice = place.paths.choose(place.unit, place.views)
        yield list(self._lines(place, choice))
        if choice is None:
            return
        active = self._active(place, choice)
        computed = dict(choice.computed)
        for field in place.unit.fields:
            if field.sources:
                yield from self._below(place, field, active, computed.get(field))

    def _below(
        self,
        place: _Place,
        field: OpField,
        active: frozenset[ViewNode],
        computed_in: ViewNode | None,
    ) -> Iterator[list[str]]:
        type_name = place.unit.representative
        views = place.paths.child_views(type_name, field, active, computed_in)
        depth = self._graph.supergraph.types[type_name].fields[field.name].list_depth
        below = place.paths.below(place.unit.types)
        path = ".".join((place.path, field.output_key, *["@"] * depth))
        for child in place.paths.children(place.unit, field, active):
            seeing = frozenset(v for v in views if self._graph.sees(v, child.representative))
            if seeing:
                yield from self.decisions(_Place(below, path, child, seeing))

    def _active(self, place: _Place, choice: Choice) -> frozenset[ViewNode]:
        active = place.views
        for target in choice.entries:
            entry = place.paths.entry(place.unit.representative, place.views, target, NO_GUARD)
            if entry is not None:
                active |= entry.views
        return active

    # -- one decision ----------------------------------------------------------------------------

    def _lines(self, place: _Place, choice: Choice | None) -> Iterator[str]:
        unit = place.unit
        yield f"at {place.path}: {' | '.join(sorted(unit.types))}"
        yield from _labelled("wanted", [", ".join(_field_text(field) for field in unit.fields)])
        at_hand = sorted(_view_text(view) for view in place.views)
        yield from _labelled("at hand", [", ".join(at_hand) or "nothing: the operation begins"])
        yield from _labelled("candidates", list(self._candidates(place)))
        if choice is None:
            yield from _labelled("chosen", ["there is no way"])
            return
        yield from _labelled("chosen", list(self._chosen(place, choice)) or ["what is at hand"])
        fetches, stages = choice.cost.rank
        yield from _labelled("cost", [_cost_text(fetches, stages)])

    def _candidates(self, place: _Place) -> Iterator[str]:
        type_name = place.unit.representative
        for field in place.unit.fields:
            if place.paths.direct_views(place.views, type_name, field):
                continue
            ways = list(self._ways(place, field))
            yield f"{field.output_key}: {'; '.join(ways) or 'none'}"

    def _ways(self, place: _Place, field: OpField) -> Iterator[str]:
        type_name = place.unit.representative
        moves = place.paths.moves(type_name, place.views)
        for target in dict.fromkeys(move.target for move in moves):
            move = self._graph.field_move(target, type_name, field.name)
            if move is None or not self._graph.is_source(
                target, type_name, field.name, field.asked_on
            ):
                continue
            entry = self._entry_text(place, target)
            if move.is_computed:
                yield f"computed in {target.subgraph} from {computed_from(move)}"
            elif entry is not None:
                yield entry

    def _entry_text(self, place: _Place, target: ViewNode) -> str | None:
        """How a subgraph is entered, None if it cannot be."""
        entry = place.paths.entry(place.unit.representative, place.views, target, NO_GUARD)
        if entry is None:
            return None
        text = _view_text(target)
        if entry.move.key is not None:
            text += f" by {field_set_text(entry.move.key.selection)}"
        via = sorted(_view_text(view) for view in entry.views - {target})
        if via:
            text += f" via {', '.join(via)}"
        fetches, stages = entry.cost.rank
        return f"{text} ({_cost_text(fetches, stages)})"

    def _chosen(self, place: _Place, choice: Choice) -> Iterator[str]:
        for target in choice.entries:
            yield f"enter {self._entry_text(place, target)}"
        for field, target in choice.computed:
            yield f"compute {field.output_key} in {_view_text(target)}"


def _labelled(label: str, lines: Sequence[str]) -> Iterator[str]:
    """The lines in a column of their own, the label before the first."""
    for index, line in enumerate(lines):
        yield f"  {'' if index else label:<11} {line}"


def _view_text(view: ViewNode) -> str:
    return f"{view.subgraph} (provided fields too)" if view.provided else view.subgraph


def _field_text(field: OpField) -> str:
    text = field.name if field.output_key == field.name else f"{field.output_key}: {field.name}"
    text += field.arguments
    for condition in sorted(field.conditions):
        text += f" @{'include' if condition.wanted else 'skip'}(if: ${condition.variable})"
    return text


def _cost_text(fetches: int, stages: int) -> str:
    if not fetches:
        return "nothing"
    return (
        f"{fetches} fetch{'' if fetches == 1 else 'es'} in {stages} stage"
        f"{'' if stages == 1 else 's'}"
    )
