"""Merging subgraphs into a supergraph. ``merge`` runs the concerns in the order they depend on.

| stage | file | needs |
|---|---|---|
| the schema itself: description, directives | ``schema.py`` | – |
| which types there are, their kinds, interfaces and keys | ``types.py`` | – |
| members of unions | ``unions.py`` | types |
| fields and their arguments | ``fields.py``, ``arguments.py``, ``override.py`` | all types |
| input fields | ``inputs.py`` | all types |
| directives that subgraphs define | ``definitions.py`` | – |
| values of enums | ``enums.py`` | how fields, inputs and directives use them |
| fields that interface objects give to implementations | ``interface_objects.py`` | fields |
| access rules that interfaces take over | ``access.py`` | all fields |
| links and definitions of specifications | ``specifications.py``, ``links.py`` | what was applied |

Before them ``links.py`` and ``compose_directive.py`` settle what directives are called and which of
the subgraphs' own reach the supergraph; ``directives.py`` then merges applications everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.merge.access import restrict_interfaces
from router.composition.merge.compose_directive import resolve_composed
from router.composition.merge.context import MergeContext
from router.composition.merge.definitions import merge_definitions
from router.composition.merge.enums import merge_enums
from router.composition.merge.fields import merge_fields
from router.composition.merge.inputs import merge_inputs
from router.composition.merge.interface_keys import check_interface_keys
from router.composition.merge.interface_objects import extend_implementations
from router.composition.merge.links import agree_on_names
from router.composition.merge.schema import merge_schema
from router.composition.merge.specifications import link_specifications
from router.composition.merge.types import merge_types
from router.composition.merge.unions import merge_unions
from router.composition.merge.versions import newest_version
from router.composition.subtypes import Subtypes
from router.composition.supergraph_model import Graph, MergedSupergraph
from router.federation.join import graph_enum_values, join_version_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.composition.facts import Facts
    from router.composition.model import Subgraph
    from router.composition.result import Findings

__all__ = ["merge"]


def merge(
    subgraphs: Sequence[Subgraph], facts: Mapping[str, Facts], findings: Findings
) -> MergedSupergraph:
    """Merge valid subgraphs. What does not fit goes into ``findings``, and not into the result."""
    values = graph_enum_values(subgraph.name for subgraph in subgraphs)
    supergraph = MergedSupergraph(
        join=join_version_for(newest_version(subgraphs, findings)),
        graphs=tuple(Graph(values[item.name], item.name, item.url) for item in subgraphs),
    )
    context = MergeContext(
        subgraphs=tuple(subgraphs),
        facts=facts,
        graphs=values,
        findings=findings,
        supergraph=supergraph,
        subtypes=Subtypes.of(subgraphs),
        names=agree_on_names(subgraphs, findings),
        composed=resolve_composed(subgraphs, findings),
    )
    merge_schema(context)
    merge_types(context)
    merge_unions(context)
    merge_fields(context)
    merge_inputs(context)
    merge_definitions(context)
    merge_enums(context)
    extend_implementations(context)
    restrict_interfaces(context)
    check_interface_keys(context)
    link_specifications(context)
    return supergraph
