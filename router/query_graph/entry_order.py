"""In which order subgraphs can be entered from given views, by keys that are at hand.

From the views one has, some keys are resolved; entering by them gives further views, which resolve
further keys, and so on. The key for an entry then is looked for in what can be had before it only,
which keeps the search from trying every path through a dense graph of keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.query_graph.graph import KeyMove, ViewNode
    from router.query_graph.paths import Paths
    from router.query_graph.selections import Unit

__all__ = ["entry_order"]


def entry_order(
    paths: Paths, type_name: str, have: frozenset[ViewNode]
) -> Mapping[KeyMove, frozenset[ViewNode]]:
    """For each move, the views that can be entered before it.

    Moves whose keys need more than fields of the views, a computed field or a hop below, are left
    out.
    """
    before: dict[KeyMove, frozenset[ViewNode]] = {}
    pending = [move for move in paths.moves(type_name, have) if move.key is not None]
    entered: frozenset[ViewNode] = frozenset()
    while pending:
        ready = [move for move in pending if _is_at_hand(paths, type_name, move, have | entered)]
        before.update((move, entered) for move in ready)
        pending = [move for move in pending if move not in before]
        more = entered | {move.target for move in ready}
        if more == entered:
            break
        entered = more
    return before


def _is_at_hand(paths: Paths, type_name: str, move: KeyMove, views: Iterable[ViewNode]) -> bool:
    assert move.key is not None
    return _resolves(paths, paths.units.field_set(type_name, move.key.selection), views)


def _resolves(paths: Paths, unit: Unit, views: Iterable[ViewNode]) -> bool:
    """Whether views resolve everything a unit wants, with nothing entered."""
    name = unit.representative
    for field in unit.fields:
        if not paths.direct_views(views, name, field):
            return False
        if not field.sources:
            continue
        below = paths.child_views(name, field, views)
        for child in paths.units.children(unit, field):
            seeing = [v for v in below if paths.graph.sees(v, child.representative)]
            if seeing and not _resolves(paths, child, seeing):
                return False
    return True
