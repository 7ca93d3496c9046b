"""Federation 1 subgraphs, rewritten in Federation 2.

In Federation 1 a type had one owner; other subgraphs *extended* it and marked as external what
they only repeated. Federation 2 has no owners, so most of those marks mean nothing any more, and
sharing, which went without saying, has to be said. The passes run in this order on each such
subgraph; what other subgraphs declare is looked up in the subgraphs as they came in.

| pass | file |
|---|---|
| field sets given as lists or names become strings | ``field_sets.py`` |
| directives that Federation 2 does not allow there are dropped | ``misplaced.py`` |
| external marks that were mere form go, and external fields nobody uses | ``externals.py`` |
| requirements and provisions of the subgraph's own fields are dropped | ``own_fields.py`` |
| extensions become plain types | ``extensions.py`` |
| fields that other subgraphs resolve too become shareable | ``sharing.py`` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.upgrade.extensions import make_definitions
from router.composition.upgrade.externals import drop_formal_externals, drop_unused_externals
from router.composition.upgrade.field_sets import make_strings
from router.composition.upgrade.misplaced import drop_misplaced
from router.composition.upgrade.own_fields import prune_own_fields
from router.composition.upgrade.sharing import add_shareable

if TYPE_CHECKING:
    from router.composition.model import Subgraph
    from router.composition.result import Findings

__all__ = ["upgrade_federation_1"]


def upgrade_federation_1(subgraphs: list[Subgraph], findings: Findings) -> list[Subgraph]:
    """Rewrite the Federation 1 subgraphs among these; the others come back as they are."""
    if not any(subgraph.is_federation_1 for subgraph in subgraphs):
        return subgraphs
    upgraded = [
        _upgrade(subgraph, subgraphs, findings) if subgraph.is_federation_1 else subgraph
        for subgraph in subgraphs
    ]
    # Who resolves a field is known only when the false externals are gone everywhere.
    return [
        add_shareable(subgraph, upgraded) if subgraph.is_federation_1 else subgraph
        for subgraph in upgraded
    ]


def _upgrade(subgraph: Subgraph, subgraphs: list[Subgraph], findings: Findings) -> Subgraph:
    subgraph = drop_misplaced(make_strings(subgraph), subgraphs)
    subgraph = drop_formal_externals(subgraph, subgraphs)
    subgraph = drop_unused_externals(prune_own_fields(subgraph), findings)
    return make_definitions(subgraph)
