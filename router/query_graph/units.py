"""Units of one operation, made when they are first needed and kept: they are cache keys of the
search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.query_graph.selections import Collector, OpField, Source, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql import FragmentDefinitionNode, SelectionSetNode

    from router.query_graph.graph import QueryGraph
    from router.query_graph.selections import Condition

__all__ = ["Units"]


class Units:
    """Turns selections into units, for one operation or one composition check."""

    def __init__(
        self,
        graph: QueryGraph,
        fragments: Mapping[str, FragmentDefinitionNode] | None = None,
        deferrals: Mapping[int, Condition] | None = None,
    ) -> None:
        self._supergraph = graph.supergraph
        self._collector = Collector(
            graph.supergraph.possible_types, graph.likeness, fragments, deferrals
        )
        self._children: dict[tuple[OpField, str], tuple[Unit, ...]] = {}
        self._as_interface: dict[tuple[OpField, str], Unit | None] = {}
        self._field_sets: dict[tuple[str, frozenset[str], int], Unit] = {}

    def collect(self, declared: str, sources: Sequence[Source]) -> tuple[Unit, ...]:
        """The units of a selection on a declared type."""
        return self._collector.collect(declared, sources)

    def children(self, unit: Unit, field: OpField) -> tuple[Unit, ...]:
        """The units of what a composite field selects."""
        key = (field, self.declared(unit, field))
        if key not in self._children:
            self._children[key] = self.collect(key[1], field.sources)
        return self._children[key]

    def declared(self, unit: Unit, field: OpField) -> str:
        """The type of a field. Types that have it in common share the units below it."""
        return self._supergraph.types[unit.representative].fields[field.name].type_name

    def child_as_interface(self, unit: Unit, field: OpField) -> Unit | None:
        """The one unit of a composite field that asks every runtime type for the same."""
        key = (field, self.declared(unit, field))
        if key not in self._as_interface:
            self._as_interface[key] = self._collector.collect_as_interface(key[1], field.sources)
        return self._as_interface[key]

    def field_set(
        self, type_name: str, selections: SelectionSetNode, types: frozenset[str] | None = None
    ) -> Unit:
        """The unit of a ``@key`` or ``@requires``, for all of ``types`` that are like the type."""
        types = types or frozenset({type_name})
        key = (type_name, types, id(selections))
        if key not in self._field_sets:
            source = (Source(selections),)
            units = self._collector.collect(type_name, source, frozenset({type_name}))
            fields = units[0].fields if units else ()
            self._field_sets[key] = Unit(types, type_name, fields)
        return self._field_sets[key]
