"""Interfaces after merging.

Each subgraph may be valid and their sum not: an interface that gains a field in one subgraph needs
it in implementations that only another one knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.composition.supergraph_model import MergedSupergraph, MergedType

__all__ = ["check_interfaces"]


def check_interfaces(
    supergraph: MergedSupergraph, subgraphs: Sequence[Subgraph], findings: Findings
) -> None:
    """Report implementations that lack fields."""
    for merged in supergraph.types.values():
        for name in merged.interfaces:
            interface = supergraph.types.get(name)
            if interface is not None:
                _check_fields(subgraphs, findings, merged, interface)


def _check_fields(
    subgraphs: Sequence[Subgraph], findings: Findings, merged: MergedType, interface: MergedType
) -> None:
    for field in interface.fields.values():
        if field.name in merged.fields:
            continue
        declaring = tuple(
            subgraph.name
            for subgraph in subgraphs
            if interface.name in subgraph.types
            and field.name in subgraph.types[interface.name].fields
        )
        findings.error(
            ErrorCode.INTERFACE_FIELD_NO_IMPLEM,
            f'Interface field "{interface.name}.{field.name}" is declared in'
            f' {", ".join(declaring)} but type "{merged.name}", which implements'
            f' "{interface.name}", does not have field "{field.name}".',
            subgraphs=declaring,
            coordinates=(f"{merged.name}.{field.name}",),
        )
