"""What a subscription needs to go on after its connection was lost, and miss nothing.

A subscription field is *resumable* when it takes a cursor argument and its events have that
cursor, as in ``inbox(after: String): InboxEvent`` with ``InboxEvent.cursor``. Which argument and
which field they are, a :class:`CursorRule` says. The first fetch of such a subscription is
rewritten once, when it is first used::

    subscription($a: String) { inbox(after: $a) { id } }                         # planned
    subscription($a: String) { inbox(after: $a) { id cursor_: cursor } }         # sent first
    subscription($after_: String) { inbox(after: $after_) { id cursor_: cursor } }   # sent again

The client never sees ``cursor_``: projections read only what was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    NameNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    parse,
    parse_type,
    print_ast,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import DocumentNode, GraphQLInputType, GraphQLOutputType

    from router.executor.context import Json
    from router.executor.type_model import ExecutableSupergraph
    from router.planner.plan import FetchNode

__all__ = ["ANY_FIELD", "CursorRule", "Resumption", "compile_resumption"]

# What an argument takes besides values of its own type, by the type of the field.
_ALSO_FITS = {
    "ID": frozenset({"String"}),
    "Int": frozenset({"Float", "ID"}),
    "String": frozenset({"ID"}),
}

ANY_FIELD = "*"  # the rule for subscription fields that have none of their own


@dataclass(frozen=True, slots=True)
class CursorRule:
    """``argument`` of a subscription field takes what ``field`` of its last event had."""

    argument: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """How one subscription is opened, and opened again. Request bodies are without their end, as
    ``CompiledFetch.head``.
    """

    head: bytes  # also asks for the cursor
    again_head: bytes  # ... and takes it as the variable ``again_variable``
    again_variable: str
    dropped: frozenset[str]  # variables that opening again has no use for
    response_key: str  # of the subscription's field
    cursor_key: str
    given: str | bool  # the cursor argument: a variable, or whether there is one that is not null

    def cursor(self, payload: Json) -> Json:
        """Return an event's cursor, None when it has none."""
        data = payload.get("data") if isinstance(payload, dict) else None
        event = data.get(self.response_key) if isinstance(data, dict) else None
        return event.get(self.cursor_key) if isinstance(event, dict) else None

    def replays(self, variables: Mapping[str, Json]) -> bool:
        """Tell whether the client itself begins at a cursor."""
        given = self.given
        return given if isinstance(given, bool) else variables.get(given) is not None


def compile_resumption(
    supergraph: ExecutableSupergraph, node: FetchNode, rules: Mapping[str, CursorRule]
) -> Resumption | None:
    """Return how a subscription's first fetch is resumed, None when it cannot be."""
    document = parse(node.operation, no_location=True)
    operation = document.definitions[0]
    if not isinstance(operation, OperationDefinitionNode):
        return None
    field = operation.selection_set.selections[0]
    if not isinstance(field, FieldNode) or field.selection_set is None:
        return None
    rule = rules.get(field.name.value) or rules.get(ANY_FIELD)
    argument_type = None if rule is None else _argument_type(supergraph, node, field, rule)
    if rule is None or argument_type is None:
        return None
    rewriting = _Rewriting(document, operation, field, _unused(node.operation, "cursor_"))
    variable = _unused(node.operation, "after_")
    again, dropped = rewriting.again(rule, variable, argument_type)
    return Resumption(
        head=_head(node, rewriting.text(rule)),
        again_head=_head(node, again),
        again_variable=variable,
        dropped=dropped,
        response_key=field.alias.value if field.alias is not None else field.name.value,
        cursor_key=rewriting.cursor_key,
        given=_given(field, rule),
    )


def _argument_type(
    supergraph: ExecutableSupergraph, node: FetchNode, field: FieldNode, rule: CursorRule
) -> str | None:
    """Return the type of the cursor argument, None unless the field fits the rule."""
    root = supergraph.schema.subscription_type
    definition = None if root is None else root.fields.get(field.name.value)
    argument = None if definition is None else definition.args.get(rule.argument)
    if definition is None or argument is None:
        return None
    event = get_nullable_type(definition.type)
    if not isinstance(event, GraphQLObjectType | GraphQLInterfaceType):
        return None  # a list or a union has no cursor of its own
    cursor = event.fields.get(rule.field)
    if cursor is None or not _fits(cursor.type, argument.type):
        return None
    if any(is_required_argument(parameter) for parameter in cursor.args.values()):
        return None
    resolves = supergraph.resolves(node.subgraph, event.name, rule.field)
    return str(argument.type) if resolves else None


def _fits(cursor: GraphQLOutputType, argument: GraphQLInputType) -> bool:
    """Tell whether an argument takes every value of a field. What a custom scalar's values look
    like nobody knows: it fits itself only.
    """
    given, taken = get_nullable_type(cursor), get_nullable_type(argument)
    if not is_leaf_type(given) or not is_leaf_type(taken):
        return False
    return taken.name == given.name or taken.name in _ALSO_FITS.get(given.name, ())


def _given(field: FieldNode, rule: CursorRule) -> str | bool:
    for argument in field.arguments or ():
        if argument.name.value == rule.argument:
            if isinstance(argument.value, VariableNode):
                return argument.value.name.value
            return not isinstance(argument.value, NullValueNode)
    return False


class _Rewriting:
    """The texts made of one operation, whose syntax tree stays as it is."""

    def __init__(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        field: FieldNode,
        cursor_key: str,
    ) -> None:
        self._document = document
        self._operation = operation
        self._field = field
        self.cursor_key = cursor_key

    def text(self, rule: CursorRule) -> str:
        """Return the operation with the cursor selected."""
        return self._print(self._with_cursor(rule), self._operation.variable_definitions or ())

    def again(self, rule: CursorRule, variable: str, type_: str) -> tuple[str, frozenset[str]]:
        """Return the operation that begins after a cursor, and the variables it has lost."""
        field = self._with_cursor(rule)
        value = VariableNode(name=NameNode(value=variable))
        others = (one for one in field.arguments or () if one.name.value != rule.argument)
        after = ArgumentNode(name=NameNode(value=rule.argument), value=value)
        field = replace(field, arguments=(*others, after))
        used = _variables(field)
        declared = tuple(self._operation.variable_definitions or ())
        kept = tuple(one for one in declared if one.variable.name.value in used)
        definition = VariableDefinitionNode(
            variable=value, type=parse_type(type_, no_location=True), directives=()
        )
        dropped = {one.variable.name.value for one in declared} - used
        return self._print(field, (*kept, definition)), frozenset(dropped)

    def _with_cursor(self, rule: CursorRule) -> FieldNode:
        below = self._field.selection_set
        selections = below.selections if below is not None else ()
        cursor = FieldNode(
            alias=NameNode(value=self.cursor_key),
            name=NameNode(value=rule.field),
            arguments=(),
            directives=(),
        )
        return replace(
            self._field, selection_set=SelectionSetNode(selections=(*selections, cursor))
        )

    def _print(self, field: FieldNode, variables: tuple[VariableDefinitionNode, ...]) -> str:
        operation = replace(
            self._operation,
            variable_definitions=variables,
            selection_set=SelectionSetNode(selections=(field,)),
        )
        definitions = (operation, *self._document.definitions[1:])
        return print_ast(replace(self._document, definitions=definitions))


def _variables(field: FieldNode) -> set[str]:
    """Return the variables used at or below a field."""
    found: set[str] = set()

    class Collect(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            found.add(node.name.value)

    visit(field, Collect())
    return found


def _unused(text: str, name: str) -> str:
    """Return a name that stands nowhere in a document."""
    while name in text:
        name += "_"
    return name


def _head(node: FetchNode, text: str) -> bytes:
    body: dict[str, Json] = {"query": text}
    if node.operation_name is not None:
        body["operationName"] = node.operation_name
    return orjson.dumps(body)[:-1]
