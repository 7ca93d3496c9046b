"""Reading the access rules off one supergraph document: ``@authenticated``, ``@requiresScopes`` and
``@policy``, under whatever names the schema links them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.federation.access import FREE, Access, alternatives_of
from router.supergraph.errors import SupergraphError, SupergraphErrorCode
from router.supergraph.joins import SPECS, links_of

if TYPE_CHECKING:
    from graphql import DirectiveNode, DocumentNode, Node, ValueNode

    from router.federation.links import Link

__all__ = ["AccessDirectives"]

_UNDERSTOOD: Final = frozenset(
    {"authenticated", "context", "inaccessible", "join", "link", "policy", "requiresScopes"}
)


class AccessDirectives:
    """The access directives of one document, by their real names.

    A linked feature ``for: SECURITY`` that is not known here might restrict access in a way that
    would be ignored, so such a document is refused (https://specs.apollo.dev/link/v1.0, Purpose).
    """

    def __init__(self, document: DocumentNode) -> None:
        links = links_of(document)
        for link in links:
            if link.purpose == "SECURITY" and not _is_understood(link):
                raise SupergraphError(
                    SupergraphErrorCode.UNSUPPORTED_SECURITY_FEATURE,
                    f"The supergraph needs {link.url} for its security, which is not supported.",
                )
        self._names = {
            link.local_name(f"@{spec}").removeprefix("@"): spec
            for link in links
            for spec in ("authenticated", "requiresScopes", "policy")
            if link.identity == SPECS + spec
        }

    def of(self, node: Node) -> Access:
        """What the directives on a definition ask for."""
        access = FREE
        if not self._names:
            return access
        directives: tuple[DirectiveNode, ...] = getattr(node, "directives", None) or ()
        for directive in directives:
            match self._names.get(directive.name.value):
                case "authenticated":
                    access &= Access(authenticated=True)
                case "requiresScopes":
                    access &= Access(scopes=alternatives_of(_argument(directive, "scopes")))
                case "policy":
                    access &= Access(policies=alternatives_of(_argument(directive, "policies")))
                case _:
                    pass
        return access


def _is_understood(link: Link) -> bool:
    return link.identity.startswith(SPECS) and link.name in _UNDERSTOOD


def _argument(directive: DirectiveNode, name: str) -> ValueNode | None:
    for argument in directive.arguments or ():
        if argument.name.value == name:
            return argument.value
    return None
