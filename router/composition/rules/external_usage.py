"""``@external`` says "I only refer to this field": so something has to refer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.facts import Coordinate
from router.composition.merge.directives import COMPOSED
from router.composition.model import TypeKind
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from router.composition.facts import Facts
    from router.composition.model import Field, Subgraph
    from router.composition.result import Findings

__all__ = ["check_external_usage"]


def check_external_usage(subgraph: Subgraph, facts: Facts, findings: Findings) -> None:
    """Report external fields that nothing uses, on interfaces, or with contradicting directives."""
    for definition in subgraph.types.values():
        for field in definition.fields.values():
            coordinate = Coordinate(definition.name, field.name)
            if not field.has(FederationDirective.EXTERNAL):
                continue
            if definition.kind is TypeKind.INTERFACE:
                _report(
                    findings,
                    subgraph,
                    field,
                    coordinate,
                    ErrorCode.EXTERNAL_ON_INTERFACE,
                    f'Interface type field "{coordinate}" is marked @external but @external is not'
                    " allowed on interface fields.",
                )
            elif field.has(FederationDirective.PROVIDES):
                _report(
                    findings,
                    subgraph,
                    field,
                    coordinate,
                    ErrorCode.EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE,
                    f'Cannot have both @provides and @external on field "{coordinate}"',
                )
            elif coordinate in facts.external:
                _check_external(subgraph, facts, findings, field, coordinate)


def _check_external(
    subgraph: Subgraph, facts: Facts, findings: Findings, field: Field, coordinate: Coordinate
) -> None:
    if coordinate not in facts.used:
        _report(
            findings,
            subgraph,
            field,
            coordinate,
            ErrorCode.EXTERNAL_UNUSED,
            f'Field "{coordinate}" is marked @external but is not used in any federation directive'
            " (@key, @provides, @requires) or to satisfy an interface; the field declaration has no"
            " use and should be removed (or the field should not be @external).",
        )
    for use in field.uses:
        if use.kind in COMPOSED or use.name == "deprecated":
            _report(
                findings,
                subgraph,
                field,
                coordinate,
                ErrorCode.MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL,
                f'Cannot apply merged directive @{use.name} to external field "{coordinate}"',
            )


def _report(
    findings: Findings,
    subgraph: Subgraph,
    field: Field,
    coordinate: Coordinate,
    code: ErrorCode,
    message: str,
) -> None:
    findings.error(
        code,
        message,
        subgraphs=(subgraph.name,),
        coordinates=(str(coordinate),),
        line=field.line,
    )
