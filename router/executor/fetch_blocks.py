"""Which fetches the parts of a deferred answer wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.planner.plan import Block, Deferral, FetchNode

__all__ = ["FetchBlocks"]


class FetchBlocks:
    """The fetches of one variant by the block of the answer that wants them.

    A fetch wanted below deferrals that do not count in this variant is one of what is around them.
    """

    def __init__(
        self,
        fetches: Sequence[FetchNode],
        lineage: Sequence[frozenset[int]],
        deferrals: Mapping[int, Deferral],
    ) -> None:
        count = frozenset(deferral.id for deferral in deferrals.values())
        self._lineage = lineage
        self._wanted_by = [
            {block & count for block in fetch.blocks} or {frozenset()} for fetch in fetches
        ]
        self._needed: dict[Block, frozenset[int]] = {}

    def needed_for(self, block: Block) -> frozenset[int]:
        """Return the numbers of the fetches that have to be done before a block can be answered:
        its own, those of the blocks around it, and all that these wait for.
        """
        found = self._needed.get(block)
        if found is None:
            found = frozenset().union(
                *(
                    before
                    for before, wanted_by in zip(self._lineage, self._wanted_by, strict=True)
                    if any(wanting <= block for wanting in wanted_by)
                )
            )
            self._needed[block] = found
        return found
