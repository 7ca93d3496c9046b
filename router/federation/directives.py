"""The directives of the Federation specifications: names, definitions, versions.

Composition uses the definitions twice: to complete a subgraph's document before it is validated
(subgraphs need not define what they link), and to print those that survive into the supergraph.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final

from graphql import DirectiveDefinitionNode, parse

from router.federation.versions import FEDERATION_1, Version

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FEDERATION_IDENTITY",
    "LINK_IDENTITY",
    "SPEC_SCALARS",
    "SPEC_VERSIONS",
    "FederationDirective",
    "directives_of",
    "spec_directives",
]

FEDERATION_IDENTITY: Final = "https://specs.apollo.dev/federation"
LINK_IDENTITY: Final = "https://specs.apollo.dev/link"


class FederationDirective(StrEnum):
    """A directive with a meaning of its own in Federation, by its name in the specification."""

    KEY = "key"
    EXTERNAL = "external"
    REQUIRES = "requires"
    PROVIDES = "provides"
    EXTENDS = "extends"
    SHAREABLE = "shareable"
    OVERRIDE = "override"
    TAG = "tag"
    INACCESSIBLE = "inaccessible"
    COMPOSE_DIRECTIVE = "composeDirective"
    INTERFACE_OBJECT = "interfaceObject"
    AUTHENTICATED = "authenticated"
    REQUIRES_SCOPES = "requiresScopes"
    POLICY = "policy"
    CONTEXT = "context"
    FROM_CONTEXT = "fromContext"
    COST = "cost"
    LIST_SIZE = "listSize"
    CACHE_TAG = "cacheTag"


SPEC_SCALARS: Final = ("FieldSet", "ContextFieldValue", "Scope", "Policy")
"""The scalars of the federation specification; a subgraph sees them under its link's names."""

_ELEMENTS: Final = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM"
    " | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)
_ACCESS: Final = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: FederationDirective
    since: Version
    rest: str  # what follows the name in the definition
    until: Version | None = None  # exclusive: a later entry of the same kind replaces it
    spec: str | None = None  # the specification of its own that the directive also belongs to


def _v2(minor: int) -> Version:
    return Version(2, minor)


_D: Final = FederationDirective
_ENTRIES: Final = (
    _Entry(
        _D.KEY,
        FEDERATION_1,
        "(fields: FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE",
    ),
    _Entry(_D.REQUIRES, FEDERATION_1, "(fields: FieldSet!) on FIELD_DEFINITION"),
    _Entry(_D.PROVIDES, FEDERATION_1, "(fields: FieldSet!) on FIELD_DEFINITION"),
    _Entry(_D.EXTERNAL, FEDERATION_1, "(reason: String) on OBJECT | FIELD_DEFINITION"),
    _Entry(_D.EXTENDS, FEDERATION_1, " on OBJECT | INTERFACE"),
    _Entry(
        _D.TAG, FEDERATION_1, f"(name: String!) repeatable on {_ELEMENTS}", until=_v2(3), spec="tag"
    ),
    _Entry(_D.TAG, _v2(3), f"(name: String!) repeatable on {_ELEMENTS} | SCHEMA", spec="tag"),
    _Entry(_D.SHAREABLE, _v2(0), " on OBJECT | FIELD_DEFINITION", until=_v2(2)),
    _Entry(_D.SHAREABLE, _v2(2), " repeatable on OBJECT | FIELD_DEFINITION"),
    _Entry(_D.INACCESSIBLE, _v2(0), f" on {_ELEMENTS}", spec="inaccessible"),
    _Entry(_D.OVERRIDE, _v2(0), "(from: String!) on FIELD_DEFINITION", until=_v2(7)),
    _Entry(_D.OVERRIDE, _v2(7), "(from: String!, label: String) on FIELD_DEFINITION"),
    _Entry(_D.COMPOSE_DIRECTIVE, _v2(1), "(name: String) repeatable on SCHEMA"),
    _Entry(_D.INTERFACE_OBJECT, _v2(3), " on OBJECT"),
    _Entry(_D.AUTHENTICATED, _v2(5), f" on {_ACCESS}", spec="authenticated"),
    _Entry(
        _D.REQUIRES_SCOPES, _v2(5), f"(scopes: [[Scope!]!]!) on {_ACCESS}", spec="requiresScopes"
    ),
    _Entry(_D.POLICY, _v2(6), f"(policies: [[Policy!]!]!) on {_ACCESS}", spec="policy"),
    _Entry(
        _D.CONTEXT,
        _v2(8),
        "(name: String!) repeatable on INTERFACE | OBJECT | UNION",
        spec="context",
    ),
    _Entry(
        _D.FROM_CONTEXT,
        _v2(8),
        "(field: ContextFieldValue) on ARGUMENT_DEFINITION",
        spec="context",
    ),
    _Entry(
        _D.COST,
        _v2(9),
        "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION"
        " | OBJECT | SCALAR",
        spec="cost",
    ),
    _Entry(
        _D.LIST_SIZE,
        _v2(9),
        "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
        " requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
        spec="cost",
    ),
    _Entry(
        _D.CACHE_TAG,
        _v2(12),
        "(format: String!) repeatable on OBJECT | FIELD_DEFINITION",
        spec="cacheTag",
    ),
)


@cache
def directives_of(version: Version) -> Mapping[FederationDirective, DirectiveDefinitionNode]:
    """The definitions of one Federation version, under the specification's own names."""
    return {
        entry.kind: _definition(entry)
        for entry in _ENTRIES
        if entry.since <= version and (entry.until is None or version < entry.until)
    }


SPEC_VERSIONS: Final[Mapping[str, frozenset[str]]] = {
    "tag": frozenset({"v0.1", "v0.2", "v0.3"}),
    "inaccessible": frozenset({"v0.1", "v0.2"}),
    "authenticated": frozenset({"v0.1"}),
    "requiresScopes": frozenset({"v0.1"}),
    "policy": frozenset({"v0.1"}),
    "context": frozenset({"v0.1"}),
    "cost": frozenset({"v0.1"}),
}
"""The specifications that a subgraph may link on their own, and their versions."""


@cache
def spec_directives(spec: str) -> Mapping[FederationDirective, DirectiveDefinitionNode]:
    """The directives of ``https://specs.apollo.dev/<spec>``; empty when it is unknown."""
    return {entry.kind: _definition(entry) for entry in _ENTRIES if entry.spec == spec}


def _definition(entry: _Entry) -> DirectiveDefinitionNode:
    node = parse(f"directive @{entry.kind}{entry.rest}", no_location=True).definitions[0]
    if not isinstance(node, DirectiveDefinitionNode):
        raise TypeError(entry.kind)
    return node
