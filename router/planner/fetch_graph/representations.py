"""What goes into one representation: keys, and the requirements of several computed fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.planner.plan import RepresentationField

__all__ = ["merge_representations"]


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
