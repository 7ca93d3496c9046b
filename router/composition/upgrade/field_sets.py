"""Federation 1 took ``fields: ["id", "name"]`` and ``fields: id``; Federation 2 takes strings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from graphql import EnumValueNode, StringValueNode

from router.composition.facts import field_set_text
from router.composition.upgrade.rewrite import map_fields, map_types
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from router.composition.model import DirectiveUse, Element, Subgraph

__all__ = ["make_strings"]

_WITH_FIELDS: Final = (
    FederationDirective.KEY,
    FederationDirective.PROVIDES,
    FederationDirective.REQUIRES,
)


def make_strings(subgraph: Subgraph) -> Subgraph:
    """Rewrite every field set as a string; what is none at all is left for the rules to report."""
    subgraph = map_types(
        subgraph, lambda definition: replace(definition, uses=_rewritten(definition))
    )
    return map_fields(subgraph, lambda _, field: replace(field, uses=_rewritten(field)))


def _rewritten(element: Element) -> tuple[DirectiveUse, ...]:
    return tuple(_rewrite(use) if use.kind in _WITH_FIELDS else use for use in element.uses)


def _rewrite(use: DirectiveUse) -> DirectiveUse:
    value = use.arguments.get("fields")
    text = value.value if isinstance(value, EnumValueNode) else field_set_text(use)
    if text is None:
        return use
    return replace(use, arguments={**use.arguments, "fields": StringValueNode(value=text)})
