"""``join__directive``: applications recorded as they are, with the subgraphs they come from.

Unlike merged directives they keep their meaning per subgraph. ``@cacheTag`` is the only one so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.composition.supergraph_model import MergedUse
from router.federation.directives import FederationDirective
from router.federation.join import JoinDirective

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import Element

__all__ = ["RECORDED", "join_directives"]

RECORDED: Final = frozenset({FederationDirective.CACHE_TAG})
"""The directives that are recorded rather than merged."""


def join_directives(context: MergeContext, sources: Sources[Element]) -> list[MergedUse]:
    """One ``join__directive`` per distinct application, with every subgraph that makes it."""
    graphs: dict[tuple[FederationDirective, str], list[str]] = {}
    for subgraph, element in sources:
        for use in element.uses:
            if use.kind in RECORDED:
                context.note_applied(use.kind, subgraph)
                key = (use.kind, use.arguments_text)
                graphs.setdefault(key, []).append(context.graphs[subgraph.name])
    return [
        MergedUse(
            JoinDirective.DIRECTIVE,
            (
                ("graphs", f"[{', '.join(dict.fromkeys(found))}]"),
                ("name", f'"federation__{kind}"'),
                ("args", f"{{{arguments}}}"),
            ),
        )
        for (kind, arguments), found in graphs.items()
    ]
