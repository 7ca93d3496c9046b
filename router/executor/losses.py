"""Whose fault it is that an object was not asked for, or that its type is not known.

A subgraph that does not answer for a key it was asked for takes away all that would have been found
by that key. Here the projection interpreter finds out which fetches did so, and the generated code
that there is something to tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.executor.object_reader import MISSING, first, spread
from router.executor.sources import KeyPartKind

if TYPE_CHECKING:
    from router.executor.context import Json
    from router.executor.object_reader import ObjectReader, OpenObject
    from router.executor.positions import Layout, Position
    from router.executor.sources import Access, Join
    from router.planner.plan import RepresentationField

__all__ = ["lost_key", "lost_type", "unasked", "untold_type"]


def unasked(
    reader: ObjectReader,
    layout: Layout,
    found: OpenObject,
    access: Access,
    allowed: frozenset[int] | None = None,
) -> frozenset[int]:
    """Return the fetches by whose fault some subgraph that has a field was not asked for the
    object: they lost the key, or what another subgraph would have found the key by.

    ``allowed`` restricts to what some fetches should have given.
    """
    sources = {read.source for read in access.reads} - found.values.keys()
    for join in layout.joins:
        if join.source in sources and (allowed is None or join.ref.fetch in allowed):
            lost = lost_key(reader, layout, found, join)
            if lost:
                return lost
    return frozenset()


def lost_key(reader: ObjectReader, layout: Layout, found: OpenObject, join: Join) -> frozenset[int]:
    """Return the fetches that should have given a key field of ``join`` and gave none, or what
    cannot be one. An object whose key is null is simply unknown there: nobody is to blame.
    """
    for part in join.fields:
        if not part.field.is_key or part.access is None:
            continue
        lost = _lost(reader, layout, found, part.field, join.ref.ancestors)
        if lost or (
            part.kind is KeyPartKind.PLAIN
            and isinstance(first(reader.read(found, part.access)), dict | list)
        ):
            return lost or _fetches(part.access)
    return frozenset()


def _lost(
    reader: ObjectReader,
    layout: Layout,
    found: OpenObject,
    field: RepresentationField,
    allowed: frozenset[int],
) -> frozenset[int]:
    access = layout.access.get(field.source_key)
    if access is None:
        return frozenset()
    raws = reader.read_of(found, access, allowed)
    if field.selections or first(raws) is None:  # each subgraph gives a part of an object
        lost = _silent(access, raws) or unasked(reader, layout, found, access, allowed)
        if lost:
            return lost
    if field.selections:
        position, contexts = layout.child(field.source_key), reader.contexts_below(found)
        for _, item in spread((), access.type, raws):
            inner = reader.open(position, item, contexts)
            if inner is None and first(item) is None:
                continue
            if inner is None or inner.layout is None:
                return _fetches(access) & allowed
            for below in field.selections:
                lost = _lost(reader, inner.layout, inner, below, allowed)
                if lost:
                    return lost
    return frozenset()


def untold_type(position: Position, found: OpenObject) -> frozenset[int]:
    """Return the fetches that were asked for an object's type and did not answer that."""
    return frozenset(
        read.source.fetch
        for read in position.typename_reads
        if read.source in found.values
        and read.source.always_has(read.key)
        and read.key not in found.values[read.source]
    )


def lost_type(reader: ObjectReader, position: Position, found: OpenObject) -> frozenset[int]:
    """Return the fetches by whose fault nobody who could tell an object's type was asked."""
    layout = position.layout(None)
    tellers = {read.source for read in position.typename_reads} - found.values.keys()
    lost = (
        lost_key(reader, layout, found, join) for join in layout.joins if join.source in tellers
    )
    return next((fetches for fetches in lost if fetches), frozenset())


def _silent(access: Access, raws: tuple[Json, ...]) -> frozenset[int]:
    """Return the fetches that have an object and did not answer for its field."""
    asked = zip(access.reads, raws, strict=True)
    return frozenset(read.source.fetch for read, raw in asked if raw is MISSING)


def _fetches(access: Access) -> frozenset[int]:
    return frozenset(read.source.fetch for read in access.reads)
