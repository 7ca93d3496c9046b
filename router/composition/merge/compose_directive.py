"""``@composeDirective``: custom directives that a subgraph asks to have in the supergraph.

Only the applications of subgraphs that ask are merged. The directive has to belong to a linked
specification, whose newest version among those subgraphs gives the definition.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from router.composition.supergraph_model import MergedLink
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.hints import HintCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from router.composition.model import DirectiveDefinition, DirectiveUse, Subgraph
    from router.composition.result import Findings
    from router.federation.links import Link

__all__ = ["ComposedDirectives", "resolve_composed"]

_BY_DEFAULT: Final = frozenset(
    {
        FederationDirective.TAG,
        FederationDirective.INACCESSIBLE,
        FederationDirective.AUTHENTICATED,
        FederationDirective.REQUIRES_SCOPES,
        FederationDirective.POLICY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedDirectives:
    """``by_subgraph``: the local names each subgraph composes; ``definitions`` by those names."""

    by_subgraph: Mapping[str, frozenset[str]] = field(default_factory=dict)
    definitions: Mapping[str, tuple[Subgraph, DirectiveDefinition]] = field(default_factory=dict)
    links: tuple[MergedLink, ...] = ()


@dataclass(frozen=True, slots=True)
class _Request:
    subgraph: Subgraph
    local: str
    element: str  # the directive's name in its specification, without the @
    link: Link
    definition: DirectiveDefinition

    @property
    def version(self) -> tuple[int, int]:
        version = self.link.version
        return (version.major, version.minor) if version else (0, 0)


def resolve_composed(subgraphs: Sequence[Subgraph], findings: Findings) -> ComposedDirectives:
    """Read and check every ``@composeDirective``."""
    requests = [
        request
        for subgraph in subgraphs
        for use in subgraph.schema.uses
        if use.kind is FederationDirective.COMPOSE_DIRECTIVE
        if (request := _request(subgraph, use, findings)) is not None
    ]
    requests = _consistent(requests, findings)
    _hint_other_majors(subgraphs, requests, findings)
    _hint_other_names(subgraphs, requests, findings)
    by_subgraph: dict[str, set[str]] = defaultdict(set)
    newest: dict[str, _Request] = {}
    for request in requests:
        by_subgraph[request.subgraph.name].add(request.local)
        known = newest.get(request.local)
        if known is None or request.version > known.version:
            newest[request.local] = request
    return ComposedDirectives(
        by_subgraph={name: frozenset(local) for name, local in by_subgraph.items()},
        definitions={
            local: (request.subgraph, request.definition) for local, request in newest.items()
        },
        links=tuple(_links(requests)),
    )


def _request(subgraph: Subgraph, use: DirectiveUse, findings: Findings) -> _Request | None:
    name = use.string("name") or ""

    def fail(message: str) -> None:
        findings.error(
            ErrorCode.DIRECTIVE_COMPOSITION_ERROR,
            message,
            subgraphs=(subgraph.name,),
            coordinates=(name,),
            line=use.line,
        )

    if not name.startswith("@"):
        fail(f'Argument to @composeDirective "{name}" must have a leading "@"')
        return None
    local = name[1:]
    if _is_federations(subgraph, name, findings, fail):
        return None
    definition = subgraph.directives.get(local)
    if definition is None:
        close = get_close_matches(local, subgraph.directives, n=1)
        suggestion = f'. Did you mean "@{close[0]}"?' if close else ""
        fail(
            "Could not find matching directive definition for argument to @composeDirective"
            f' "{name}"{suggestion}'
        )
        return None
    for link in subgraph.links:
        element = _element(link, local)
        if element is not None:
            return _Request(subgraph, local, element, link, definition)
    fail(
        f'Directive "{name}" cannot be composed because it is not a member of a linked'
        " specification"
    )
    return None


def _element(link: Link, local: str) -> str | None:
    """The name that a link's specification gives to a local directive; None for others."""
    imported = link.imported_as(f"@{local}")
    if imported is not None:
        return imported[1:]
    prefix = link.alias or link.name
    if prefix is None:
        return None
    if local == prefix:
        return link.name
    return local.removeprefix(f"{prefix}__") if local.startswith(f"{prefix}__") else None


def _is_federations(
    subgraph: Subgraph, name: str, findings: Findings, fail: Callable[[str], None]
) -> bool:
    """Whether the directive is Federation's, which decides by itself what is composed."""
    kind = next((item for item in FederationDirective if subgraph.local(item) == name), None)
    if kind is None:
        return False
    if kind in _BY_DEFAULT:
        findings.hint(
            HintCode.DIRECTIVE_COMPOSITION_INFO,
            f'Directive "{name}" should not be explicitly manually composed since it is a'
            " federation directive composed by default",
            subgraphs=(subgraph.name,),
            coordinates=(name,),
        )
    else:
        fail(f'Composing federation directive "{name}" is not supported')
    return True


def _consistent(requests: list[_Request], findings: Findings) -> list[_Request]:
    """Drop (and report) requests that contradict each other between subgraphs."""
    problems: dict[str, list[_Request]] = {}
    identities: dict[str, set[str]] = defaultdict(set)
    locals_of: dict[tuple[str, str], set[str]] = defaultdict(set)
    majors: dict[str, set[int]] = defaultdict(set)
    for request in requests:
        identities[request.local].add(request.link.identity)
        locals_of[request.link.identity, request.element].add(request.local)
        majors[request.link.identity].add(request.version[0])
    for request in requests:
        identity = request.link.identity
        if len(identities[request.local]) > 1:
            problem = (
                f'Composed directive "@{request.local}" is not linked by the same core feature in'
                " every subgraph"
            )
        elif len(locals_of[identity, request.element]) > 1:
            problem = (
                f'Composed directive "@{request.element}" of "{identity}" is not named consistently'
                " in all subgraphs"
            )
        elif len(majors[identity]) > 1:
            problem = (
                f'Core feature "{identity}" requested to be merged has major version mismatch'
                " across subgraphs"
            )
        else:
            continue
        problems.setdefault(problem, []).append(request)
    for problem, bad in problems.items():
        findings.error(
            ErrorCode.DIRECTIVE_COMPOSITION_ERROR,
            problem,
            subgraphs=tuple(dict.fromkeys(request.subgraph.name for request in bad)),
            coordinates=tuple(dict.fromkeys(f"@{request.local}" for request in bad)),
        )
    dropped = {id(request) for bad in problems.values() for request in bad}
    return [request for request in requests if id(request) not in dropped]


def _hint_other_majors(
    subgraphs: Sequence[Subgraph], requests: list[_Request], findings: Findings
) -> None:
    """A subgraph that links another major version without composing it loses its applications."""
    versions = ((item.link.identity, item.version[0]) for item in requests)
    for identity, major in dict.fromkeys(versions):
        others = [
            subgraph.name
            for subgraph in subgraphs
            for link in subgraph.links
            if link.identity == identity and link.version and link.version.major != major
        ]
        if others:
            findings.hint(
                HintCode.DIRECTIVE_COMPOSITION_INFO,
                f'Non-composed core feature "{identity}" has major version mismatch across'
                " subgraphs",
                subgraphs=tuple(others),
            )


def _links(requests: list[_Request]) -> Iterator[MergedLink]:
    by_identity: dict[str, list[_Request]] = defaultdict(list)
    for request in requests:
        by_identity[request.link.identity].append(request)
    for same in by_identity.values():
        newest = max(same, key=lambda request: request.version)
        imports = dict.fromkeys((request.element, request.local) for request in same)
        yield MergedLink(
            newest.link.url,
            imports=tuple(
                f'"@{local}"'
                if local == element
                else f"{{name: {json.dumps(f'@{element}')}, as: {json.dumps(f'@{local}')}}}"
                for element, local in imports
            ),
        )


def _hint_other_names(
    subgraphs: Sequence[Subgraph], requests: Sequence[_Request], findings: Findings
) -> None:
    """Subgraphs that could not join in composing a directive, as they import it otherwise."""
    for identity, element, local in dict.fromkeys(
        (request.link.identity, request.element, request.local) for request in requests
    ):
        others = tuple(
            subgraph.name
            for subgraph in subgraphs
            for link in subgraph.links
            if link.identity == identity
            for imported in link.imports
            if imported.element == f"@{element}" and imported.alias != f"@{local}"
        )
        if others:
            findings.hint(
                HintCode.DIRECTIVE_COMPOSITION_WARN,
                f'Composed directive "@{local}" is named differently in {", ".join(others)}, which'
                " does not compose it. Consistent naming will be required to compose it there.",
                subgraphs=others,
                coordinates=(f"@{local}",),
            )
