"""The field sets of ``@key``, ``@provides`` and ``@requires``: what they may select.

What makes sense differs. A key is sent to the subgraph, so it has no arguments and ends in
concrete values. What is provided or required must be external: the subgraph has its own fields
anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graphql import FieldNode, InlineFragmentNode, print_ast

from router.composition.facts import Coordinate, field_set_text
from router.composition.model import TypeKind, value_text
from router.composition.rules.values import is_value_of
from router.composition.type_refs import base_name
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.field_sets import FieldSetError, parse_field_set, walk_selections
from router.federation.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import SelectionSetNode

    from router.composition.facts import Facts
    from router.composition.model import DirectiveUse, Field, Subgraph, TypeDefinition
    from router.composition.result import Findings

__all__ = ["check_field_sets"]

_KEY, _PROVIDES, _REQUIRES = (
    FederationDirective.KEY,
    FederationDirective.PROVIDES,
    FederationDirective.REQUIRES,
)
_INTERFACE_KEYS_SINCE: Final = Version(2, 3)
_LEAVES: Final = frozenset({TypeKind.SCALAR, TypeKind.ENUM})


def check_field_sets(subgraph: Subgraph, facts: Facts, findings: Findings) -> None:
    """Check every field set of a subgraph."""
    for definition in subgraph.types.values():
        for use in definition.all(_KEY):
            _check_key(subgraph, facts, findings, definition, use)
        for field in definition.fields.values():
            for use in (*field.all(_PROVIDES), *field.all(_REQUIRES)):
                _check_field(subgraph, facts, findings, definition, field, use)


def _check_key(
    subgraph: Subgraph,
    facts: Facts,
    findings: Findings,
    definition: TypeDefinition,
    use: DirectiveUse,
) -> None:
    where = f'On type "{definition.name}", for {_written(use)}'
    check = _Check(subgraph, facts, findings, _KEY, where, definition.name, use.line)
    if definition.kind is TypeKind.INTERFACE and subgraph.version < _INTERFACE_KEYS_SINCE:
        check.report(
            ErrorCode.KEY_UNSUPPORTED_ON_INTERFACE,
            "@key on interfaces needs federation v2.3 or newer",
        )
        return
    check.run(use, definition.name)


def _check_field(
    subgraph: Subgraph,
    facts: Facts,
    findings: Findings,
    definition: TypeDefinition,
    field: Field,
    use: DirectiveUse,
) -> None:
    kind = _PROVIDES if use.kind is _PROVIDES else _REQUIRES
    coordinate = f"{definition.name}.{field.name}"
    where = f'On field "{coordinate}", for {_written(use)}'
    check = _Check(subgraph, facts, findings, kind, where, coordinate, use.line)
    if definition.kind is TypeKind.INTERFACE:
        check.report(
            _code(kind, "UNSUPPORTED_ON_INTERFACE"), f"@{kind} is not supported within interfaces"
        )
        return
    if kind is _REQUIRES:
        check.run(use, definition.name)
        return
    target = subgraph.types.get(base_name(field.type))
    if target is None or not target.is_composite:
        check.report(
            ErrorCode.PROVIDES_ON_NON_OBJECT_FIELD,
            f'the field has type "{field.type}", which is not a composite type',
        )
        return
    check.run(use, target.name)


def _code(kind: FederationDirective, problem: str) -> ErrorCode:
    return ErrorCode[f"{kind.upper()}_{problem}"]


def _written(use: DirectiveUse) -> str:
    return f"@{use.name}(fields: {value_text(use.arguments.get('fields'))})"


@dataclass(frozen=True, slots=True)
class _Check:
    """The check of one field set."""

    subgraph: Subgraph
    facts: Facts
    findings: Findings
    kind: FederationDirective
    where: str
    coordinate: str
    line: int | None

    def report(self, code: ErrorCode, problem: str) -> None:
        self.findings.error(
            code,
            f"{self.where}: {problem}.",
            subgraphs=(self.subgraph.name,),
            coordinates=(self.coordinate,),
            line=self.line,
        )

    def run(self, use: DirectiveUse, type_name: str) -> None:
        text = field_set_text(use) if self.subgraph.is_federation_1 else use.string("fields")
        if text is None:
            message = 'Invalid value for argument "fields": must be a string'
            self.report(_code(self.kind, "INVALID_FIELDS_TYPE"), message)
            return
        try:
            selection = parse_field_set(text)
        except FieldSetError as error:
            self.invalid(str(error))
            return
        for item in walk_selections(selection):
            for directive in item.directives or ():
                self.report(
                    _code(self.kind, "DIRECTIVE_IN_FIELDS_ARG"),
                    f"cannot have directive applications but found {print_ast(directive)}",
                )
        self.selections(selection, type_name, external_above=False)

    def invalid(self, problem: str) -> None:
        self.report(_code(self.kind, "INVALID_FIELDS"), problem)

    def selections(
        self, selection: SelectionSetNode, type_name: str, *, external_above: bool
    ) -> None:
        for item in selection.selections:
            if isinstance(item, InlineFragmentNode):
                self.fragment(item, type_name, external_above=external_above)
            elif isinstance(item, FieldNode) and item.name.value != "__typename":
                self.field(item, type_name, external_above=external_above)

    def fragment(self, node: InlineFragmentNode, type_name: str, *, external_above: bool) -> None:
        condition = node.type_condition.name.value if node.type_condition else type_name
        definition = self.subgraph.types.get(condition)
        if definition is None or not definition.is_composite:
            self.invalid(f'Unknown or non-composite type "{condition}" in a fragment')
            return
        self.selections(node.selection_set, condition, external_above=external_above)

    def field(self, node: FieldNode, type_name: str, *, external_above: bool) -> None:
        name = node.name.value
        field = self.subgraph.types[type_name].fields.get(name)
        if field is None:
            self.invalid(
                f'Cannot query field "{name}" on type "{type_name}" (if the field is defined in'
                " another subgraph, add it to this one with @external)"
            )
            return
        self.arguments(node, field, type_name)
        target = self.subgraph.types.get(base_name(field.type))
        if self.kind is _KEY and target and target.kind in {TypeKind.UNION, TypeKind.INTERFACE}:
            self.report(
                ErrorCode.KEY_FIELDS_SELECT_INVALID_TYPE,
                f'field "{type_name}.{name}" is of {target.kind} type "{target.name}", which is not'
                " allowed in @key",
            )
            return
        external = external_above or self.facts.is_external(type_name, name)
        if target is None or target.kind in _LEAVES:
            self.leaf(node, type_name, external=external)
            return
        external = external or self.has_external_implementation(type_name, name)
        if node.selection_set is None:
            self.invalid(f'Field "{type_name}.{name}" of type "{field.type}" needs a selection')
        else:
            self.selections(node.selection_set, target.name, external_above=external)

    def has_external_implementation(self, type_name: str, name: str) -> bool:
        """Whether an interface's field leads, by one of its implementations, to external data."""
        if self.subgraph.types[type_name].kind is not TypeKind.INTERFACE:
            return False
        return any(
            self.facts.is_external(implementation.name, name)
            for implementation in self.subgraph.implementations(type_name)
        )

    def leaf(self, node: FieldNode, type_name: str, *, external: bool) -> None:
        coordinate = Coordinate(type_name, node.name.value)
        if node.selection_set is not None:
            self.invalid(f'Field "{coordinate}" has no fields, so nothing can be selected on it')
        elif self.kind is not _KEY and not external:
            self.report(
                _code(self.kind, "FIELDS_MISSING_EXTERNAL"),
                f'field "{coordinate}" should not be part of a @{self.kind} since it is already'
                " provided by this subgraph (it is not marked @external, or it is a key field of an"
                " extension, which counts as not external)",
            )

    def arguments(self, node: FieldNode, field: Field, type_name: str) -> None:
        problems = list(self.argument_problems(node, field, type_name))
        for problem in problems:
            self.invalid(problem)
        if field.arguments and not problems and self.kind is not _REQUIRES:
            self.report(
                _code(self.kind, "FIELDS_HAS_ARGS"),
                f"field {type_name}.{field.name} cannot be included because it has arguments",
            )

    def argument_problems(self, node: FieldNode, field: Field, type_name: str) -> Iterator[str]:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        for name, value in given.items():
            argument = field.arguments.get(name)
            if argument is None:
                yield f'"{type_name}.{field.name}" has no argument named "{name}"'
            elif not is_value_of(self.subgraph, value, argument.type):
                yield (
                    f'Invalid value {print_ast(value)} for argument "{type_name}.{field.name}'
                    f'({name}:)" of type {argument.type}'
                )
        for argument in field.arguments.values():
            if argument.required and argument.name not in given:
                yield (
                    f'Missing mandatory value for argument "{argument.name}" of field'
                    f' "{type_name}.{field.name}"'
                )
