"""Reading one subgraph: text, document, links, completion, validation, model.

``read_subgraph`` runs the stages in this order and stops at the first that finds an error, since
each needs what the one before it guarantees.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from graphql import GraphQLError, GraphQLSyntaxError, parse

from router.composition.subgraph.build import build_subgraph
from router.composition.subgraph.complete import complete
from router.composition.subgraph.features import resolve_features
from router.composition.subgraph.validate import validate_document
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective, directives_of
from router.federation.links import LinkError

if TYPE_CHECKING:
    from router.composition.model import Subgraph
    from router.composition.result import Findings, SubgraphInput
    from router.composition.subgraph.features import Features

__all__ = ["read_subgraph"]

_UNKNOWN_DIRECTIVE: Final = re.compile(r'Unknown directive ["\']@(\w+)')


def read_subgraph(subgraph: SubgraphInput, findings: Findings) -> Subgraph | None:
    """Read a subgraph's SDL; None when it has errors, which are then in ``findings``."""
    before = len(findings.errors)
    try:
        document = parse(subgraph.sdl)
        features = resolve_features(document)
    except GraphQLSyntaxError as error:
        _report(error, subgraph, findings)
        return None
    except LinkError as error:
        findings.error(error.code, error.message, subgraphs=(subgraph.name,), line=error.line or 1)
        return None
    completed = complete(document, features, subgraph.name, findings)
    for breach in validate_document(completed.document):
        _report(breach, subgraph, findings, features)
    if len(findings.errors) > before:
        return None
    return build_subgraph(subgraph, document, completed, features)


def _report(
    error: GraphQLError,
    subgraph: SubgraphInput,
    findings: Findings,
    features: Features | None = None,
) -> None:
    line = error.locations[0].line if error.locations else None
    message = error.message
    unknown = _UNKNOWN_DIRECTIVE.match(message)
    kind = next((kind for kind in FederationDirective if unknown and unknown[1] == kind), None)
    if kind is not None and features is not None:
        message += _advice(kind, features)
    findings.error(ErrorCode.INVALID_GRAPHQL, message, subgraphs=(subgraph.name,), line=line or 1)


def _advice(kind: FederationDirective, features: Features) -> str:
    """What to do about one of federation's directives that a subgraph uses without having it."""
    if features.federation is None:
        return (
            f" If you meant the federation 2 directive @{kind}, the schema has to @link to the"
            " federation specification, version v2.0 or newer."
        )
    if kind in directives_of(features.version):
        local = features.federation.local_name(f"@{kind}")
        return f' If you meant the federation directive, import "@{kind}" or write it as {local}.'
    return (
        f" The federation directive @{kind} does not exist in {features.version}; link a newer"
        " version of the specification."
    )
