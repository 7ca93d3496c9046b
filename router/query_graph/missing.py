"""Why a unit has no plan: the part of it that nobody gives, for the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.query_graph.guards import NO_GUARD
from router.query_graph.selections import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.query_graph.graph import ViewNode
    from router.query_graph.paths import Paths
    from router.query_graph.selections import OpField

__all__ = ["find_missing"]


def find_missing(
    paths: Paths, unit: Unit, have: frozenset[ViewNode]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What makes a unit unanswerable: the keys down to it, and the coordinates of its fields.

    Fields that nobody gives on their own, as deep as one is to blame alone; else all of the unit,
    which cannot be had together.
    """
    alone = [f for f in unit.fields if paths.choose(_only(unit, f), have) is None]
    inside = paths.below(unit.types)
    for field in alone:
        for child, seeing in _reachable_children(paths, unit, field, have):
            if inside.choose(child, seeing) is None:
                below, missing = find_missing(inside, child, seeing)
                return (field.output_key, *below), missing
    fields = alone or unit.fields
    return (), tuple(f"{unit.representative}.{field.name}" for field in fields)


def _only(unit: Unit, field: OpField) -> Unit:
    return Unit(unit.types, unit.representative, (field,), unit.reach)


def _reachable_children(
    paths: Paths, unit: Unit, field: OpField, have: frozenset[ViewNode]
) -> Iterable[tuple[Unit, frozenset[ViewNode]]]:
    """The units of a field's value, with all views that any choice could give them."""
    name = unit.representative
    entered = (
        move.target
        for move in paths.moves(name, have)
        if paths.entry(name, have, move.target, NO_GUARD) is not None
    )
    views = paths.child_views(name, field, {*have, *entered})
    for child in paths.units.children(unit, field):
        seeing = frozenset(v for v in views if paths.graph.sees(v, child.representative))
        if seeing:
            yield child, seeing
