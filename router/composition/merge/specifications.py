"""What the specifications add to the supergraph: links, and definitions of the directives in use.

Runs last, since it depends on which directives the other stages applied.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from graphql import NamedTypeNode, NameNode, Visitor, print_ast, visit

from router.composition.merge.join_directives import RECORDED
from router.composition.merge.links import SPECS, core_links, spec_link
from router.federation.directives import SPEC_SCALARS, spec_directives
from router.federation.join import join_definitions

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext
    from router.composition.merge.links import Spec

__all__ = ["link_specifications"]

_LINK: Final = (
    "directive @link(url: String, as: String, for: link__Purpose, import: [link__Import])"
    " repeatable on SCHEMA"
)


def link_specifications(context: MergeContext) -> None:
    """Add a link and definitions for every specification whose directives were applied."""
    supergraph = context.supergraph
    supergraph.links.extend(core_links(supergraph.join))
    supergraph.definitions.update(join_definitions(supergraph.join))
    supergraph.definitions["link"] = _LINK
    for spec in _applied_specs(context):
        supergraph.links.append(spec_link(spec, context.names))
        if RECORDED.isdisjoint(spec.directives):
            _define_spec(context, spec)
    if "oneOf" in context.built_in:
        # Part of GraphQL by now, but older tools refuse to load what they do not know.
        supergraph.definitions["oneOf"] = "directive @oneOf on INPUT_OBJECT"
    supergraph.links.extend(context.composed.links)


def _applied_specs(context: MergeContext) -> list[Spec]:
    """The specifications in use: by the first subgraph that uses them, then in the usual order."""
    first = {
        spec: min(context.applied[kind] for kind in spec.directives if kind in context.applied)
        for spec in SPECS
        if not context.applied.keys().isdisjoint(spec.directives)
    }
    return sorted(first, key=lambda spec: first[spec])


def _define_spec(context: MergeContext, spec: Spec) -> None:
    for kind, definition in spec_directives(spec.name).items():
        local = context.names.get(kind, spec.default_name(kind))
        scalars = _Prefix(spec.name)
        renamed = dataclasses.replace(visit(definition, scalars), name=NameNode(value=local))
        context.supergraph.definitions[local] = print_ast(renamed)
        context.supergraph.scalars.update(scalars.used)


class _Prefix(Visitor):
    """Gives a specification's scalars the names they have in a supergraph: ``policy__Policy``."""

    def __init__(self, spec: str) -> None:
        super().__init__()
        self.spec = spec
        self.used: set[str] = set()

    def enter_named_type(self, node: NamedTypeNode, *_: object) -> NamedTypeNode | None:
        if node.name.value not in SPEC_SCALARS:
            return None
        local = f"{self.spec}__{node.name.value}"
        self.used.add(local)
        return dataclasses.replace(node, name=NameNode(value=local))
