"""``@shareable`` stands only where sharing means something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.model import TypeKind
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from router.composition.facts import Facts
    from router.composition.model import Subgraph
    from router.composition.result import Findings

__all__ = ["check_shareable_usage"]


def check_shareable_usage(subgraph: Subgraph, facts: Facts, findings: Findings) -> None:
    """Report ``@shareable`` on interfaces' fields and twice on one field.

    An interface's fields are resolved by its implementations.
    """
    del facts
    for definition in subgraph.types.values():
        for field in definition.fields.values():
            applied = sum(1 for _ in field.all(FederationDirective.SHAREABLE))
            coordinate = f"{definition.name}.{field.name}"
            if applied and definition.kind is TypeKind.INTERFACE:
                problem = (
                    f'Invalid use of @shareable on field "{coordinate}": only object type fields'
                    " can be marked with @shareable"
                )
            elif applied > 1:
                problem = f'Invalid duplicate application of @shareable on field "{coordinate}"'
            else:
                continue
            findings.error(
                ErrorCode.INVALID_SHAREABLE_USAGE,
                problem,
                subgraphs=(subgraph.name,),
                coordinates=(coordinate,),
                line=field.line,
            )
