"""Reading the join spec's directives off one supergraph document.

Their names (``join__type`` unless a ``@link`` renames or imports it) are found here once, so that
the loader speaks of "the type's joins" and not of directive names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    value_from_ast_untyped,
)

from router.federation.links import LinkError, parse_links
from router.supergraph.errors import SupergraphError, SupergraphErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import DirectiveNode, Node

    from router.federation.links import Link

__all__ = ["Directives", "links_of"]

SPECS = "https://specs.apollo.dev/"

_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "owner": ("graph",),
    "type": ("graph",),
    "implements": ("graph", "interface"),
    "unionMember": ("graph", "member"),
}
_FLAGS: Final = frozenset({"resolvable", "isInterfaceObject", "external", "usedOverridden"})
_TEXTS: Final = frozenset(
    {"graph", "key", "interface", "member", "requires", "provides", "type"}
    | {"override", "overrideLabel"}
)


def _directives(node: Node) -> tuple[DirectiveNode, ...]:
    return tuple(getattr(node, "directives", None) or ())


def arguments_of(directive: DirectiveNode) -> dict[str, Any]:
    """A directive's arguments as Python values; enum values are strings."""
    return {
        argument.name.value: value_from_ast_untyped(argument.value)
        for argument in directive.arguments or ()
    }


def links_of(document: DocumentNode) -> tuple[Link, ...]:
    """The specifications that a supergraph links.

    Raises:
        SupergraphError: a link that breaks the specification (``INVALID_JOIN``).
    """
    try:
        return parse_links(document)
    except LinkError as error:
        raise SupergraphError(SupergraphErrorCode.INVALID_JOIN, error.message) from error


class Directives:
    """The join directives of one document, by their real names."""

    def __init__(self, document: DocumentNode) -> None:
        links = links_of(document)
        join = next((link for link in links if link.identity == f"{SPECS}join"), None)
        if join is None:
            raise SupergraphError(
                SupergraphErrorCode.NOT_A_SUPERGRAPH,
                "The schema does not link the join spec (https://specs.apollo.dev/join): "
                "it is not a supergraph.",
            )
        self.join = join
        apollo = [link for link in links if link.identity.startswith(SPECS)]
        self.features = frozenset(link.alias or link.name or "" for link in apollo)
        self.imports = frozenset(
            imported.alias.removeprefix("@") for link in apollo for imported in link.imports
        )
        self.inaccessible = _directive_name(links, "inaccessible")
        self.context = _directive_name(links, "context")
        self.graphs = self._read_graphs(document)

    def _read_graphs(self, document: DocumentNode) -> dict[str, tuple[str, str]]:
        """Enum value of ``join__Graph`` -> (subgraph name, url)."""
        for definition in document.definitions:
            if isinstance(
                definition, EnumTypeDefinitionNode
            ) and definition.name.value == self.join.local_name("Graph"):
                graphs: dict[str, tuple[str, str]] = {}
                for value in definition.values or ():
                    arguments = next(self._named(value, "graph"), {})
                    name = str(arguments.get("name", value.name.value))
                    graphs[value.name.value] = (name, str(arguments.get("url", "")))
                return graphs
        raise SupergraphError(
            SupergraphErrorCode.NOT_A_SUPERGRAPH,
            f"The supergraph has no enum {self.join.local_name('Graph')}.",
        )

    def _named(self, node: Node, name: str) -> Iterator[dict[str, Any]]:
        wanted = self.join.local_name(f"@{name}").removeprefix("@")
        for directive in _directives(node):
            if directive.name.value == wanted:
                yield arguments_of(directive)

    def of(self, node: Node, name: str) -> list[dict[str, Any]]:
        """The arguments of every ``@join__<name>`` on a node, with ``graph`` turned into the
        subgraph's name.
        """
        result = []
        for arguments in self._named(node, name):
            self._check(name, arguments)
            graph = arguments.get("graph")
            if graph is not None:
                if graph not in self.graphs:
                    raise SupergraphError(
                        SupergraphErrorCode.INVALID_JOIN,
                        f"{self.join.local_name(f'@{name}')} names the graph {graph}, which "
                        f"{self.join.local_name('Graph')} does not have.",
                    )
                arguments["graph"] = self.graphs[graph][0]
            result.append(arguments)
        return result

    def _check(self, name: str, arguments: dict[str, Any]) -> None:
        """Refuse arguments that are missing or of the wrong kind: files may be edited by hand."""
        problem = None
        for required in _REQUIRED.get(name, ()):
            if arguments.get(required) is None:
                problem = f"lacks its {required}"
        for argument, value in arguments.items():
            expected = str if argument in _TEXTS else bool if argument in _FLAGS else object
            if value is not None and not isinstance(value, expected):
                problem = f"has a {argument} of the wrong kind"
        if problem is not None:
            raise SupergraphError(
                SupergraphErrorCode.INVALID_JOIN,
                f"A {self.join.local_name(f'@{name}')} {problem}.",
            )

    def is_inaccessible(self, node: Node) -> bool:
        """Whether a node carries ``@inaccessible``."""
        return any(d.name.value == self.inaccessible for d in _directives(node))

    def contexts(self, node: Node) -> frozenset[str]:
        """The names of the contexts that a type sets: of every ``@context`` on it."""
        return frozenset(
            str(arguments_of(directive).get("name"))
            for directive in _directives(node)
            if directive.name.value == self.context
        )

    def is_machinery(self, name: str) -> bool:
        """Whether a directive or type name belongs to a linked Apollo spec (``join__Graph``,
        ``link``, ``tag``), under whatever name it is linked or imported.
        """
        return (
            name in self.features or name in self.imports or name.split("__", 1)[0] in self.features
        )


def _directive_name(links: tuple[Link, ...], spec: str) -> str:
    """What the schema calls the directive after which a specification is named. One that is not
    linked keeps its name: supergraphs of Federation 1 use ``@inaccessible`` without a link.
    """
    for link in links:
        if link.identity == f"{SPECS}{spec}":
            return link.local_name(f"@{spec}").removeprefix("@")
    return spec
