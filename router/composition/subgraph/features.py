"""What a subgraph's links give it: local directive names, and the definitions they stand for.

First stage of reading a subgraph after parsing. A subgraph without a link to the federation
specification is a Federation 1 subgraph: the old directives under their own names.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from graphql import (
    DirectiveDefinitionNode,
    NameNode,
    ScalarTypeDefinitionNode,
    parse,
    parse_type,
)

from router.composition.type_refs import base_name, rename, type_ref
from router.federation.codes import ErrorCode
from router.federation.directives import (
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    SPEC_SCALARS,
    SPEC_VERSIONS,
    FederationDirective,
    directives_of,
    spec_directives,
)
from router.federation.links import Link, LinkError, link_directive_name, parse_links
from router.federation.versions import FEDERATION_1, FEDERATION_VERSIONS, Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import DefinitionNode, DocumentNode, InputValueDefinitionNode

__all__ = ["Features", "resolve_features"]

_SPECS: Final = "https://specs.apollo.dev/"
_CONNECTORS: Final = f"{_SPECS}connect"
_LINK_VERSION: Final = Version(1, 0)
_MACHINERY: Final = frozenset({"_Any", "_Entity", "_Service", "_FieldSet", "FieldSet"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A subgraph's links, resolved.

    ``directives`` maps local names to meanings; ``definitions`` completes the document;
    ``machinery`` names the types and directives (with ``@``) that federation owns in it.
    """

    links: tuple[Link, ...]
    federation: Link | None
    version: Version
    directives: Mapping[str, FederationDirective]
    definitions: tuple[DefinitionNode, ...]
    machinery: frozenset[str]


def resolve_features(document: DocumentNode) -> Features:
    """Read a document's links.

    Raises:
        LinkError: an invalid link, an unknown version of a known specification, or an import of
            something that the version does not have.
    """
    links = parse_links(document)
    _refuse_connectors(links)
    federation = next((link for link in links if link.identity == FEDERATION_IDENTITY), None)
    version = _federation_version(federation) if federation else FEDERATION_1
    directives: dict[str, FederationDirective] = {}
    definitions: dict[str, DefinitionNode] = {}

    if federation is None:
        _define(None, directives_of(FEDERATION_1), directives, definitions)
    for link in links:
        known = directives_of(version) if link is federation else _single_specification(link)
        if link is federation:
            _require_known_imports(link, known, version)
        _define(link, known, directives, definitions)
    _define_link(document, links, definitions)
    return Features(
        links=links,
        federation=federation,
        version=version,
        directives=directives,
        definitions=tuple(definitions.values()),
        machinery=_MACHINERY | definitions.keys(),
    )


def _single_specification(link: Link) -> Mapping[FederationDirective, DirectiveDefinitionNode]:
    """The directives of a specification that is linked on its own; none when it is not known."""
    name = link.identity.removeprefix(_SPECS)
    return spec_directives(name) if str(link.version) in SPEC_VERSIONS.get(name, ()) else {}


def _refuse_connectors(links: tuple[Link, ...]) -> None:
    """Connectors are fields that the router itself fetches by HTTP; this one does not, and fields
    that nobody resolves must not compose.
    """
    for link in links:
        if link.identity == _CONNECTORS:
            message = f'The feature "{link.url}" (connectors) is not supported by this router.'
            raise LinkError(ErrorCode.UNSUPPORTED_LINKED_FEATURE, message, link.line)


def _federation_version(link: Link) -> Version:
    if link.version in FEDERATION_VERSIONS:
        return link.version
    message = (
        f'Invalid version {link.version or "(none)"} for the federation feature in "{link.url}":'
        f" known are {FEDERATION_VERSIONS[0]} to {FEDERATION_VERSIONS[-1]}."
    )
    raise LinkError(ErrorCode.UNKNOWN_FEDERATION_LINK_VERSION, message, link.line)


def _require_known_imports(
    link: Link, known: Mapping[FederationDirective, DirectiveDefinitionNode], version: Version
) -> None:
    elements = [f"@{kind}" for kind in known] + ["FieldSet", "ContextFieldValue", "Scope", "Policy"]
    for imported in link.imports:
        if imported.element in elements:
            continue
        close = get_close_matches(imported.element, [*elements, *(f"@{e}" for e in elements)], n=1)
        suggestion = f' Did you mean "{close[0]}"?' if close else ""
        if f"@{imported.element}" in elements:
            suggestion = f' Did you mean "@{imported.element}"?'
        message = (
            f'Cannot import unknown element "{imported.element}" from federation {version}.'
            f"{suggestion}"
        )
        raise LinkError(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, link.line)


def _define(
    link: Link | None,
    known: Mapping[FederationDirective, DirectiveDefinitionNode],
    directives: dict[str, FederationDirective],
    definitions: dict[str, DefinitionNode],
) -> None:
    """Add one link's directives, and the scalars that their arguments use, under local names."""
    for kind, definition in known.items():
        local = link.local_name(f"@{kind}")[1:] if link else str(kind)
        used: set[str] = set()
        arguments = tuple(_localised(item, link, used) for item in definition.arguments or ())
        directives[local] = kind
        definitions[f"@{local}"] = dataclasses.replace(
            definition, name=NameNode(value=local), arguments=arguments
        )
        for scalar in sorted(used):
            definitions[scalar] = ScalarTypeDefinitionNode(name=NameNode(value=scalar))


def _localised(
    argument: InputValueDefinitionNode, link: Link | None, used: set[str]
) -> InputValueDefinitionNode:
    """An argument with the specification's scalar under its local name; ``used`` gets that name.

    ``scopes: [[Scope!]!]!`` -> ``scopes: [[federation__Scope!]!]!``
    """
    written = type_ref(argument.type)
    scalar = base_name(written)
    if scalar not in SPEC_SCALARS:
        return argument
    local = link.local_name(scalar) if link else f"_{scalar}"
    used.add(local)
    renamed = parse_type(str(rename(written, {scalar: local})), no_location=True)
    return dataclasses.replace(argument, type=renamed)


def _define_link(
    document: DocumentNode, links: tuple[Link, ...], definitions: dict[str, DefinitionNode]
) -> None:
    """Add the definition of ``@link`` itself, which documents need not have."""
    name = link_directive_name(document)
    if name is None:
        return
    link = next((item for item in links if item.identity == LINK_IDENTITY), None)
    if link is not None and link.version is not None and link.version != _LINK_VERSION:
        message = f'Schema uses unknown version {link.version} of the link spec ("{link.url}").'
        raise LinkError(ErrorCode.UNKNOWN_LINK_VERSION, message, link.line)
    prefix = (link.alias or "link") if link else "link"
    own = link.local_name if link else lambda element: f"{prefix}__{element}"
    purpose, imported = own("Purpose"), own("Import")
    text = f"""
        directive @{name}(
          url: String, feature: String, as: String, for: {purpose}, import: [{imported}]
        ) repeatable on SCHEMA
        enum {purpose} {{ SECURITY EXECUTION }}
        scalar {imported}
    """
    for key, definition in zip(
        (f"@{name}", purpose, imported), parse(text, no_location=True).definitions, strict=True
    ):
        definitions[key] = definition
