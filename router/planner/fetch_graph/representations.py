"""What goes into one representation: keys, and the requirements of several computed fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from router.planner.plan import RepresentationField
from router.query_graph import TYPENAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.planner.fetch_graph.position import Position
    from router.planner.fetch_graph.sight import Sight
    from router.query_graph import OpField, Paths, Unit

__all__ = ["Representations", "merge_representations"]


class Representations:
    """Says where the fields of a representation are found, after all of them were selected."""

    def __init__(self, paths: Paths, sight: Sight, fresh: Iterator[int]) -> None:
        self._paths = paths
        self._sight = sight
        self._fresh = fresh

    def of(
        self, position: Position, unit: Unit, *, is_key: bool
    ) -> tuple[RepresentationField, ...]:
        """The fields of a unit; ``is_key``: no representation without them."""
        fields = []
        for field in unit.fields:
            wanted = position.wanted_for(field, unit.types, self._fresh)
            below: list[RepresentationField] = []
            if field.sources:
                child = position.child(unit, field, wanted)
                below = self._nested(child, unit, field, is_key=is_key)
            fields.append(
                RepresentationField(
                    name=field.name,
                    source_key=wanted.output_key,
                    is_key=is_key,
                    selections=tuple(below),
                )
            )
        return tuple(fields)

    def _nested(
        self, child: Position, unit: Unit, field: OpField, *, is_key: bool
    ) -> list[RepresentationField]:
        supergraph = self._paths.graph.supergraph
        result: list[RepresentationField] = []
        if supergraph.types[child.declared].is_abstract:
            result.append(RepresentationField(name=TYPENAME, source_key=TYPENAME, is_key=False))
        views = self._sight.views(child, frozenset())
        everything = frozenset[str]().union(*(view.types for view in views))
        for below in self._paths.units.children(unit, field):
            if not below.types & everything:
                continue  # nobody who gives the object can return these types
            types = None if everything <= below.types else below.types
            for part in self.of(child, below, is_key=is_key):
                result.append(
                    RepresentationField(
                        name=part.name,
                        source_key=part.source_key,
                        is_key=part.is_key,
                        type_condition=types,
                        selections=part.selections,
                    )
                )
        return result


def merge_representations(
    one: tuple[RepresentationField, ...], other: tuple[RepresentationField, ...]
) -> tuple[RepresentationField, ...] | None:
    """Both in one; None when a name would have to carry two values (one field required with two
    sets of arguments).

    ``owner { id }`` and ``owner { name }`` become ``owner { id name }``.
    """
    merged = {(field.name, field.type_condition): field for field in one}
    for field in other:
        key = (field.name, field.type_condition)
        known = merged.get(key)
        if known is None:
            merged[key] = field
            continue
        if known.source_key != field.source_key:
            return None
        below = merge_representations(known.selections, field.selections)
        if below is None:
            return None
        merged[key] = replace(known, selections=below, is_key=known.is_key or field.is_key)
    return tuple(merged.values())
