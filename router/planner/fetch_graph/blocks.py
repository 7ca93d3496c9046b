"""What is wanted at once at a position, and what only in deferred blocks that begin there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from graphql import FieldNode

from router.planner.fetch_graph.demand import deferrals_in
from router.query_graph import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.query_graph import Conditions, OpField
    from router.supergraph import Key

__all__ = ["Later", "by_block", "key_fields"]

Later: TypeAlias = "Sequence[tuple[Conditions, Sequence[Unit]]]"
"""Deferrals that begin at a position, and what is wanted below them."""


def by_block(units: Sequence[Unit]) -> tuple[Sequence[Unit], Later]:
    """The units without what is deferred, which may leave nothing of some, and the rest by block,
    the outer blocks first.
    """
    if not any(c.deferral for unit in units for field in unit.fields for c in field.conditions):
        return units, ()
    now: list[Unit] = []
    later: dict[Conditions, list[Unit]] = {}
    for unit in units:
        fields: dict[Conditions, list[OpField]] = {}
        for field in unit.fields:
            fields.setdefault(deferrals_in(field.conditions), []).append(field)
        for block, wanted in fields.items():
            part = Unit(unit.types, unit.representative, tuple(wanted), unit.reach)
            (later.setdefault(block, []) if block else now).append(part)
    return now, sorted(later.items(), key=lambda item: (len(item[0]), sorted(item[0])))


def key_fields(key: Key) -> frozenset[str]:
    """The names of the fields that a key has at the top."""
    nodes = key.selection.selections
    return frozenset(node.name.value for node in nodes if isinstance(node, FieldNode))
