"""Compiles an operation into its estimated cost, a function of the variables.

Once per operation: fields of one response name are merged as the execution will merge them, what
does not depend on variables is added up, and ``@skip`` and ``@include`` become conditions. What is
left for each request are the slicing arguments, conditions and arguments that come in variables.

Fragments on different types all count, although an object has one type: an upper bound. Works on
operations that are valid and within ``limits.document``; it walks them with their fragments spread
out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationType,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from router.server.limits.cost.inputs import input_term
from router.server.limits.cost.sizes import size_term
from router.server.limits.cost.terms import either, product, total, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import (
        DocumentNode,
        GraphQLField,
        OperationDefinitionNode,
        SelectionNode,
        SelectionSetNode,
    )

    from router.server.limits.cost.model import CostModel
    from router.server.limits.cost.terms import Term, Variables

__all__ = ["CostFunction", "compile_cost"]

# A selection stands where all of these hold: (variable, value it must have).
_Conditions: TypeAlias = frozenset[tuple[str, bool]]

_ALWAYS: _Conditions = frozenset()
_WANTED = {"include": True, "skip": False}


class CostFunction:
    """The estimated cost of one operation."""

    __slots__ = ("_term",)

    def __init__(self, term: Term) -> None:
        self._term = term

    @property
    def is_constant(self) -> bool:
        """Whether no variable matters."""
        return not callable(self._term)

    def __call__(self, variables: Variables) -> float:
        """Return the cost with these variables, which must be completed with their defaults.

        Raises ``COST_QUERY_PARSE_FAILURE`` where a list's size cannot be told as it must be.
        """
        return value_of(self._term, variables)


@dataclass(slots=True)
class _Field:
    """One response name on one type, with everything that is selected of it."""

    parent: str
    nodes: list[tuple[FieldNode, _Conditions]] = field(default_factory=list)


def compile_cost(
    model: CostModel,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    *,
    mutation: float,
) -> CostFunction:
    """Return an operation's cost; ``mutation`` is what every mutation costs at least."""
    root = model.schema.get_root_type(operation.operation)
    base = mutation if operation.operation is OperationType.MUTATION else 0.0
    if root is None:
        return CostFunction(base)
    compiler = _Compiler(model, document)
    below = compiler.selections(root.name, [(operation.selection_set, _ALWAYS)], None, frozenset())
    return CostFunction(total([base, below]))


class _Compiler:
    def __init__(self, model: CostModel, document: DocumentNode) -> None:
        self._model = model
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def selections(
        self,
        parent: str,
        sets: list[tuple[SelectionSetNode, _Conditions]],
        size: Term | None,
        sized: frozenset[str],
    ) -> Term:
        """Return the cost of what is selected of one object; its fields ``sized`` have ``size``."""
        fields: dict[tuple[str, str], _Field] = {}
        for selection_set, conditions in sets:
            for type_name, node, where in self._collect(selection_set, parent, conditions):
                key = node.alias.value if node.alias else node.name.value
                entry = fields.setdefault((type_name, key), _Field(type_name))
                entry.nodes.append((node, where))
        return total(
            self._field(entry, size if entry.nodes[0][0].name.value in sized else None)
            for entry in fields.values()
        )

    def _collect(
        self, selection_set: SelectionSetNode, parent: str, conditions: _Conditions
    ) -> Iterator[tuple[str, FieldNode, _Conditions]]:
        """Yield the selected fields, with the type they stand on and when they do."""
        for node in selection_set.selections:
            own = _conditions(node)
            if own is None:
                continue
            where = conditions | own
            if isinstance(node, FieldNode):
                yield parent, node, where
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                on = parent if condition is None else condition.name.value
                yield from self._collect(node.selection_set, on, where)
            else:
                fragment = self._fragments[node.name.value]  # type: ignore[attr-defined]
                on = fragment.type_condition.name.value
                yield from self._collect(fragment.selection_set, on, where)

    def _field(self, entry: _Field, size_from_above: Term | None) -> Term:
        node = entry.nodes[0][0]  # arguments are the same in all of them, validation has seen to it
        name = node.name.value
        parent = self._model.schema.get_type(entry.parent)
        definition: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        if definition is None:
            return 0.0  # __typename, __schema, __type: no subgraph is asked
        whens = {conditions for _, conditions in entry.nodes}
        # Where all stand under the same conditions, what is below need not ask again.
        same = len(whens) == 1
        sets = [
            (one.selection_set, _ALWAYS if same else conditions)
            for one, conditions in entry.nodes
            if one.selection_set is not None
        ]
        term = self._cost(entry.parent, node, definition, sets, size_from_above)
        if _ALWAYS in whens or term == 0.0:
            return term
        alternatives = tuple(whens)

        def stands(variables: Variables) -> bool:
            return any(
                all(variables.get(variable) is wanted for variable, wanted in conditions)
                for conditions in alternatives
            )

        return either(stands, term)

    def _cost(
        self,
        parent: str,
        node: FieldNode,
        definition: GraphQLField,
        sets: list[tuple[SelectionSetNode, _Conditions]],
        size_from_above: Term | None,
    ) -> Term:
        model, name = self._model, node.name.value
        where = f"{parent}.{name}"
        directive = model.list_size(parent, name)
        size: Term = float(model.default_list_size)
        if directive is not None:
            default = model.default_list_size
            size = size_term(directive, node, definition, default=default, where=where)
        is_list = is_list_type(get_nullable_type(definition.type))
        sized = frozenset[str]() if directive is None else directive.sized_fields
        below = self.selections(get_named_type(definition.type).name, sets, size, sized)
        each = total([model.field_weight(parent, name, definition.type), below])
        if is_list:
            each = product(size if size_from_above is None else size_from_above, each)
        return _at_least_nothing(total([each, *self._arguments(where, node, definition)]))

    def _arguments(self, where: str, node: FieldNode, definition: GraphQLField) -> Iterator[Term]:
        for argument in node.arguments or ():
            name = argument.name.value
            type_ = definition.args[name].type
            yield input_term(self._model, f"{where}({name}:)", type_, argument.value)
        for directive in node.directives or ():
            declared = self._model.schema.get_directive(directive.name.value)
            for argument in directive.arguments or ():
                name = argument.name.value
                if declared is not None and name in declared.args:
                    coordinate = f"@{directive.name.value}({name}:)"
                    type_ = declared.args[name].type
                    yield input_term(self._model, coordinate, type_, argument.value)


def _conditions(node: SelectionNode) -> _Conditions | None:
    """Return when a selection stands, None for never."""
    found: set[tuple[str, bool]] = set()
    for directive in node.directives or ():
        wanted = _WANTED.get(directive.name.value)
        if wanted is None:
            continue
        for argument in directive.arguments or ():
            match argument.value:
                case VariableNode(name=name):
                    found.add((name.value, wanted))
                case BooleanValueNode(value=value) if value is not wanted:
                    return None
    return frozenset(found)


def _at_least_nothing(term: Term) -> Term:
    """Weights may be negative, a field's cost may not (IBM's specification, section 6)."""
    if not callable(term):
        return max(term, 0.0)
    return lambda variables: max(term(variables), 0.0)
