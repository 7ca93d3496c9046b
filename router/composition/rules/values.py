"""Whether a constant is a value of a type: for arguments inside ``@requires``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from router.composition.model import TypeKind
from router.composition.type_refs import ListRef, NamedRef, NonNullRef

if TYPE_CHECKING:
    from router.composition.model import Subgraph
    from router.composition.type_refs import TypeRef

__all__ = ["is_value_of"]

_BUILT_IN: Final[dict[str, tuple[type[ValueNode], ...]]] = {
    "Int": (IntValueNode,),
    "Float": (IntValueNode, FloatValueNode),
    "String": (StringValueNode,),
    "Boolean": (BooleanValueNode,),
    "ID": (IntValueNode, StringValueNode),
}


def is_value_of(subgraph: Subgraph, value: ValueNode, ref: TypeRef) -> bool:
    """Whether ``value`` is a constant of type ``ref`` as the subgraph defines it."""
    if isinstance(value, VariableNode):
        return False
    match ref:
        case NonNullRef(of):
            return not isinstance(value, NullValueNode) and is_value_of(subgraph, value, of)
        case _ if isinstance(value, NullValueNode):
            return True
        case ListRef(of):
            items = value.values if isinstance(value, ListValueNode) else (value,)
            return all(is_value_of(subgraph, item, of) for item in items)
        case NamedRef(name):
            return _is_named(subgraph, value, name)


def _is_named(subgraph: Subgraph, value: ValueNode, name: str) -> bool:
    if name in _BUILT_IN:
        return isinstance(value, _BUILT_IN[name])
    definition = subgraph.types[name]
    if definition.kind is TypeKind.ENUM:
        return isinstance(value, EnumValueNode) and value.value in definition.values
    if definition.kind is not TypeKind.INPUT:
        return True  # a custom scalar takes what it likes
    if not isinstance(value, ObjectValueNode):
        return False
    given = {field.name.value: field.value for field in value.fields}
    if given.keys() - definition.inputs.keys():
        return False
    return all(
        is_value_of(subgraph, given[item.name], item.type)
        if item.name in given
        else not item.required
        for item in definition.inputs.values()
    )
