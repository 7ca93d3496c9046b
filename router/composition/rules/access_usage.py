"""Access directives stand on what is resolved: never on interfaces, which take over their
implementations' rules (``merge/access.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.access import ACCESS
from router.composition.model import TypeKind
from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from router.composition.facts import Facts
    from router.composition.model import Element, Subgraph
    from router.composition.result import Findings

__all__ = ["check_access_usage"]


def check_access_usage(subgraph: Subgraph, facts: Facts, findings: Findings) -> None:
    """Report access directives on interfaces, their fields, and interface objects."""
    del facts
    for definition in subgraph.types.values():
        if definition.is_interface_object:
            _check(subgraph, findings, definition, f'interface object "{definition.name}"')
        elif definition.kind is TypeKind.INTERFACE:
            _check(subgraph, findings, definition, f'interface "{definition.name}"')
            for field in definition.fields.values():
                _check(subgraph, findings, field, f'field "{definition.name}.{field.name}"')


def _check(subgraph: Subgraph, findings: Findings, element: Element, what: str) -> None:
    for use in element.uses:
        if use.kind in ACCESS:
            findings.error(
                ErrorCode.AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE,
                f"Invalid use of @{use.name} on {what}: @{use.name} cannot be applied on"
                " interfaces, interface fields and interface objects",
                subgraphs=(subgraph.name,),
                coordinates=(what.split('"')[1],),
                line=use.line,
            )
