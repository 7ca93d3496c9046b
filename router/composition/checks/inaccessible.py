"""``@inaccessible`` must leave a valid API schema behind.

What clients see is the supergraph without its inaccessible elements. Every rule here is one way in
which that remainder would not be a schema, or could not be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import EnumValueNode, ListValueNode, ObjectValueNode, parse_const_value

from router.composition.model import ROOT_TYPES, TypeKind
from router.composition.type_refs import base_name
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from graphql import ValueNode

    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.composition.supergraph_model import (
        MergedArgument,
        MergedElement,
        MergedField,
        MergedSupergraph,
        MergedType,
    )

__all__ = ["check_inaccessible"]


def check_inaccessible(
    supergraph: MergedSupergraph, subgraphs: Sequence[Subgraph], findings: Findings
) -> None:
    """Check what the inaccessible elements leave of the supergraph."""
    del subgraphs
    check = _Check(supergraph, findings)
    for merged in supergraph.types.values():
        if not _hidden(merged):
            check.visible_type(merged)
        elif merged.name == ROOT_TYPES[0]:
            check.report(
                ErrorCode.QUERY_ROOT_TYPE_INACCESSIBLE,
                f'Type "{merged.name}" is @inaccessible but is the query root type, which must be'
                " in the API schema.",
                merged.name,
            )


def _hidden(element: MergedElement) -> bool:
    return element.has(FederationDirective.INACCESSIBLE)


@dataclass(frozen=True, slots=True)
class _Check:
    supergraph: MergedSupergraph
    findings: Findings

    def report(self, code: ErrorCode, message: str, coordinate: str) -> None:
        self.findings.error(code, message, coordinates=(coordinate,))

    def is_hidden_type(self, name: str) -> bool:
        merged = self.supergraph.types.get(name)
        return merged is not None and _hidden(merged)

    def visible_type(self, merged: MergedType) -> None:
        self.children(merged)
        for field in merged.fields.values():
            coordinate = f"{merged.name}.{field.name}"
            if not _hidden(field):
                self.reference(coordinate, base_name(field.type))
                self.inputs(coordinate, field.arguments.values(), argument=True)
        self.inputs(merged.name, merged.inputs.values(), argument=False)
        for name in merged.interfaces:
            interface = self.supergraph.types.get(name)
            if interface is not None and not _hidden(interface):
                self.implementation(merged, interface)

    def children(self, merged: MergedType) -> None:
        """A type of which nothing remains."""
        kinds: dict[TypeKind, tuple[str, list[bool]]] = {
            TypeKind.OBJECT: ("fields", [_hidden(item) for item in merged.fields.values()]),
            TypeKind.INTERFACE: ("fields", [_hidden(item) for item in merged.fields.values()]),
            TypeKind.INPUT: ("fields", [_hidden(item) for item in merged.inputs.values()]),
            TypeKind.ENUM: ("values", [_hidden(item) for item in merged.values.values()]),
            TypeKind.UNION: ("members", [self.is_hidden_type(item) for item in merged.members]),
        }
        what, hidden = kinds.get(merged.kind, ("", []))
        if hidden and all(hidden):
            self.report(
                ErrorCode.ONLY_INACCESSIBLE_CHILDREN,
                f'Type "{merged.name}" is in the API schema but all of its {what} are'
                " @inaccessible.",
                merged.name,
            )

    def reference(self, coordinate: str, name: str) -> None:
        if self.is_hidden_type(name):
            self.report(
                ErrorCode.REFERENCED_INACCESSIBLE,
                f'Type "{name}" is @inaccessible but is referenced by "{coordinate}", which is in'
                " the API schema.",
                coordinate,
            )

    def inputs(self, parent: str, inputs: Iterable[MergedArgument], *, argument: bool) -> None:
        """Arguments of a visible field, or fields of a visible input type."""
        for item in inputs:
            coordinate = f"{parent}({item.name}:)" if argument else f"{parent}.{item.name}"
            if not _hidden(item):
                self.reference(coordinate, base_name(item.type))
                self.default(coordinate, item)
            elif item.required:
                self.report(
                    ErrorCode.REQUIRED_INACCESSIBLE,
                    f'"{coordinate}" is @inaccessible but is required by "{parent}", which is in'
                    " the API schema.",
                    coordinate,
                )

    def default(self, coordinate: str, item: MergedArgument) -> None:
        if item.default is None:
            return
        for used in self.hidden_in(parse_const_value(item.default), base_name(item.type)):
            self.report(
                ErrorCode.DEFAULT_VALUE_USES_INACCESSIBLE,
                f'"{used}" is @inaccessible but is used in the default value of "{coordinate}",'
                " which is in the API schema.",
                coordinate,
            )

    def hidden_in(self, value: ValueNode, type_name: str) -> Iterator[str]:
        """The inaccessible enum values and input fields that a default value uses."""
        merged = self.supergraph.types.get(type_name)
        if isinstance(value, ListValueNode):
            for item in value.values:
                yield from self.hidden_in(item, type_name)
        elif merged is None:
            return
        elif isinstance(value, EnumValueNode):
            enum_value = merged.values.get(value.value)
            if enum_value is not None and _hidden(enum_value):
                yield f"{type_name}.{value.value}"
        elif isinstance(value, ObjectValueNode):
            for field in value.fields:
                known = merged.inputs.get(field.name.value)
                if known is None:
                    continue
                if _hidden(known):
                    yield f"{type_name}.{known.name}"
                yield from self.hidden_in(field.value, base_name(known.type))

    def implementation(self, merged: MergedType, interface: MergedType) -> None:
        for promised in interface.fields.values():
            field = merged.fields.get(promised.name)
            if field is None or _hidden(promised):
                continue
            coordinate = f"{merged.name}.{field.name}"
            if _hidden(field):
                self.report(
                    ErrorCode.IMPLEMENTED_BY_INACCESSIBLE,
                    f'Field "{coordinate}" is @inaccessible but implements the interface field'
                    f' "{interface.name}.{promised.name}", which is in the API schema.',
                    coordinate,
                )
            else:
                self.implementing_arguments(coordinate, field, promised)

    def implementing_arguments(
        self, coordinate: str, field: MergedField, promised: MergedField
    ) -> None:
        for argument in promised.arguments.values():
            own = field.arguments.get(argument.name)
            if own is not None and _hidden(own) and not _hidden(argument) and not own.required:
                self.report(
                    ErrorCode.IMPLEMENTED_BY_INACCESSIBLE,
                    f'Argument "{coordinate}({own.name}:)" is @inaccessible but implements an'
                    " interface's argument, which is in the API schema.",
                    f"{coordinate}({own.name}:)",
                )
