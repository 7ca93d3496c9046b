"""Requirements and provisions of fields that the subgraph has itself.

Federation 1 let them pass; Federation 2 wants external fields only. What the subgraph has needs no
fetching, so those fields are taken out of the field sets, and empty ones dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode, StringValueNode

from router.composition.facts import collect_facts, field_set_text
from router.composition.type_refs import base_name
from router.composition.upgrade.rewrite import map_fields
from router.federation.directives import FederationDirective
from router.federation.field_sets import FieldSetError, parse_field_set, print_field_set

if TYPE_CHECKING:
    from graphql import SelectionNode

    from router.composition.facts import Facts
    from router.composition.model import DirectiveUse, Field, Subgraph, TypeDefinition

__all__ = ["prune_own_fields"]


def prune_own_fields(subgraph: Subgraph) -> Subgraph:
    """Take the subgraph's own fields out of its ``@requires`` and ``@provides``."""
    prune = _Prune(subgraph, collect_facts(subgraph))

    def change(definition: TypeDefinition, field: Field) -> Field:
        uses = (prune.use(use, definition, field) for use in field.uses)
        return replace(field, uses=tuple(use for use in uses if use is not None))

    return map_fields(subgraph, change)


@dataclass(frozen=True, slots=True)
class _Prune:
    subgraph: Subgraph
    facts: Facts

    def use(
        self, use: DirectiveUse, definition: TypeDefinition, field: Field
    ) -> DirectiveUse | None:
        """The directive without own fields; None when none remain."""
        if use.kind is FederationDirective.REQUIRES:
            target = definition.name
        elif use.kind is FederationDirective.PROVIDES:
            target = base_name(field.type)
        else:
            return use
        try:
            selection = parse_field_set(field_set_text(use) or "")
        except FieldSetError:
            return use  # the rules report it
        pruned = self.selections(selection, target)
        if pruned == selection:
            return use
        if pruned is None:
            return None
        text = StringValueNode(value=print_field_set(pruned))
        return replace(use, arguments={**use.arguments, "fields": text})

    def selections(self, selection: SelectionSetNode, type_name: str) -> SelectionSetNode | None:
        kept = tuple(
            item
            for node in selection.selections
            if (item := self.selection(node, type_name)) is not None
        )
        return SelectionSetNode(selections=kept) if kept else None

    def selection(self, node: SelectionNode, type_name: str) -> SelectionNode | None:
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            inner = self.selections(node.selection_set, condition)
            return replace(node, selection_set=inner) if inner else None
        definition = self.subgraph.types.get(type_name)
        if not isinstance(node, FieldNode) or definition is None:
            return node
        field = definition.fields.get(node.name.value)
        if field is None or self.facts.is_external(type_name, field.name):
            return node
        if node.selection_set is None:
            return None
        inner = self.selections(node.selection_set, base_name(field.type))
        return replace(node, selection_set=inner) if inner else None
