"""The size of a parsed document, measured before anything else looks at it.

Validation, planning and compilation all walk the operation with its fragments spread out, and a few
hundred bytes of fragments that spread each other twice spread out to 2^n fields. So each definition
is walked once, and fragments are added up from what is known of the fragments they spread: the work
is linear in the document, whatever its expansion is.

    {...A ...A} fragment A on T {...B ...B} fragment B on T {x}

measures B as 1 field, A as 2, the operation as 4. A fragment that leads back to itself counts as
empty there; validation refuses such documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
)

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import (
        ConstDirectiveNode,
        DirectiveNode,
        DocumentNode,
        SelectionNode,
        SelectionSetNode,
        ValueNode,
    )

    from router.server.settings import RouterSettings

__all__ = ["DocumentLimits", "DocumentSize", "check_document", "measure_document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSize:
    """A document's measures; of several operations, and of fragments that none uses, the largest.

    Attributes:
        definitions: Operations and fragments.
        depth: Fields on the longest way from the root to a leaf.
        fragment_depth: Fragments, named and inline, on the way that has the most of them.
        height: Fields, each as often as its fragments are spread.
        aliases: Those of them that have an alias.
        root_fields: Those of them that stand at the root.
        directives: Uses of directives, on whatever, as often as their fragments are spread.
        input_depth: Levels of the deepest list or object literal.
        literal_values: Items and members of all such literals, as often as their fragments are
            spread.
    """

    definitions: int
    depth: int
    fragment_depth: int
    height: int
    aliases: int
    root_fields: int
    directives: int
    input_depth: int
    literal_values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """The largest sizes that are let through; the measures are those of :class:`DocumentSize`."""

    definitions: int
    depth: int
    fragment_depth: int
    height: int
    aliases: int
    root_fields: int
    directives: int
    input_depth: int
    literal_values: int

    @classmethod
    def of(cls, settings: RouterSettings) -> DocumentLimits:
        """Return the limits as they are configured."""
        return cls(
            definitions=settings.max_definitions,
            depth=settings.max_depth,
            fragment_depth=settings.max_fragment_depth,
            height=settings.max_height,
            aliases=settings.max_aliases,
            root_fields=settings.max_root_fields,
            directives=settings.max_directives,
            input_depth=settings.max_input_depth,
            literal_values=settings.max_literal_values,
        )


class _Check(NamedTuple):
    measure: str
    code: RequestErrorCode
    says: str  # what there may not be more of than the limit


_CHECKS = (
    _Check("definitions", RequestErrorCode.MAX_DEFINITIONS_LIMIT, "{} operations and fragments"),
    _Check("depth", RequestErrorCode.MAX_DEPTH_LIMIT, "{} levels of fields"),
    _Check(
        "fragment_depth", RequestErrorCode.MAX_FRAGMENT_DEPTH_LIMIT, "{} fragments in each other"
    ),
    _Check("height", RequestErrorCode.MAX_HEIGHT_LIMIT, "{} fields, fragments spread out"),
    _Check("aliases", RequestErrorCode.MAX_ALIASES_LIMIT, "{} aliases, fragments spread out"),
    _Check("root_fields", RequestErrorCode.MAX_ROOT_FIELDS_LIMIT, "{} fields at the root"),
    _Check("directives", RequestErrorCode.MAX_DIRECTIVES_LIMIT, "{} directives"),
    _Check("input_depth", RequestErrorCode.MAX_INPUT_DEPTH_LIMIT, "{} levels in a literal"),
    _Check("literal_values", RequestErrorCode.MAX_LITERAL_VALUES_LIMIT, "{} values in literals"),
)


def check_document(document: DocumentNode, limits: DocumentLimits) -> None:
    """Refuse a document that exceeds a limit, with the code of the first one exceeded.

    The text gives the limit, not the size: sizes of hostile documents have thousands of digits.
    """
    size = measure_document(document)
    for measure, code, says in _CHECKS:
        limit: int = getattr(limits, measure)
        if getattr(size, measure) > limit:
            message = f"The document has more than {says.format(limit)}"
            raise RequestError(code, message, well_formed=True)


class _Spread(NamedTuple):
    """A fragment spread and where it stands, counted from the definition."""

    name: str
    depth: int
    fragment_depth: int


@dataclass(slots=True)
class _Tally:
    """What one definition has itself, before or after what it spreads is added.

    ``root_fields`` are those that stand where the definition is spread.
    """

    depth: int = 0
    fragment_depth: int = 0
    height: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    input_depth: int = 0
    literal_values: int = 0
    spreads: list[_Spread] = field(default_factory=list)

    def add(self, spread: _Spread, fragment: _Tally) -> None:
        """Count a fragment where it is spread."""
        self.depth = max(self.depth, spread.depth + fragment.depth)
        self.fragment_depth = max(
            self.fragment_depth, spread.fragment_depth + fragment.fragment_depth
        )
        self.height += fragment.height
        self.aliases += fragment.aliases
        self.directives += fragment.directives
        self.literal_values += fragment.literal_values
        self.input_depth = max(self.input_depth, fragment.input_depth)
        if spread.depth == 0:
            self.root_fields += fragment.root_fields


def measure_document(document: DocumentNode) -> DocumentSize:
    """Measure a document in time linear in its length. It need not be valid."""
    operations: list[_Tally] = []
    fragments: dict[str, _Tally] = {}
    for definition in document.definitions:
        match definition:
            case OperationDefinitionNode():
                operations.append(_tally(definition))
            case FragmentDefinitionNode():
                # Of fragments with one name validation refuses all but the first.
                fragments.setdefault(definition.name.value, _tally(definition))
    for fragment in _leaves_first(fragments):
        _spread_out(fragment, fragments)
    for operation in operations:
        _spread_out(operation, fragments)
    all_of_them = [*operations, *fragments.values()]

    def largest(measure: str) -> int:
        return max((getattr(tally, measure) for tally in all_of_them), default=0)

    return DocumentSize(
        definitions=len(document.definitions),
        depth=largest("depth"),
        fragment_depth=largest("fragment_depth"),
        height=largest("height"),
        aliases=largest("aliases"),
        root_fields=max((tally.root_fields for tally in operations), default=0),
        directives=largest("directives"),
        input_depth=largest("input_depth"),
        literal_values=largest("literal_values"),
    )


def _spread_out(tally: _Tally, fragments: dict[str, _Tally]) -> None:
    for spread in tally.spreads:
        fragment = fragments.get(spread.name)
        if fragment is not None:
            tally.add(spread, fragment)


def _leaves_first(fragments: dict[str, _Tally]) -> Iterator[_Tally]:
    """Yield every fragment after the fragments it spreads; without recursion, chains may be long.

    While a fragment is yielded, the ones that it is part of a cycle with may not have been.
    """
    started: set[str] = set()
    for root in fragments:
        if root in started:
            continue
        started.add(root)
        path = [(root, iter(fragments[root].spreads))]
        while path:
            name, spreads = path[-1]
            below = next(
                (one.name for one in spreads if one.name in fragments and one.name not in started),
                None,
            )
            if below is None:
                path.pop()
                yield fragments[name]
            else:
                started.add(below)
                path.append((below, iter(fragments[below].spreads)))


def _tally(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Tally:
    tally = _Tally()
    _count_directives(tally, definition.directives)
    for variable in definition.variable_definitions or ():
        _count_directives(tally, variable.directives)
        if variable.default_value is not None:
            _count_value(tally, variable.default_value)
    waiting: list[tuple[SelectionSetNode, int, int]] = [(definition.selection_set, 0, 0)]
    while waiting:
        selection_set, depth, fragment_depth = waiting.pop()
        for node in selection_set.selections:
            _count_directives(tally, node.directives)
            inner = _count_selection(tally, node, depth, fragment_depth)
            if inner is not None:
                waiting.append(inner)
    return tally


def _count_selection(
    tally: _Tally, node: SelectionNode, depth: int, fragment_depth: int
) -> tuple[SelectionSetNode, int, int] | None:
    """Count one selection; returns what is selected below it, and where that stands."""
    match node:
        case FieldNode():
            tally.height += 1
            tally.aliases += node.alias is not None
            tally.root_fields += depth == 0
            tally.depth = max(tally.depth, depth + 1)
            for argument in node.arguments or ():
                _count_value(tally, argument.value)
            if node.selection_set is not None:
                return node.selection_set, depth + 1, fragment_depth
        case InlineFragmentNode():
            tally.fragment_depth = max(tally.fragment_depth, fragment_depth + 1)
            return node.selection_set, depth, fragment_depth + 1
        case FragmentSpreadNode():
            tally.fragment_depth = max(tally.fragment_depth, fragment_depth + 1)
            tally.spreads.append(_Spread(node.name.value, depth, fragment_depth + 1))
    return None


def _count_directives(
    tally: _Tally, directives: Iterable[DirectiveNode | ConstDirectiveNode] | None
) -> None:
    for directive in directives or ():
        tally.directives += 1
        for argument in directive.arguments or ():
            _count_value(tally, argument.value)


def _count_value(tally: _Tally, value: ValueNode) -> None:
    waiting = [(value, 1)]
    while waiting:
        node, depth = waiting.pop()
        match node:
            case ListValueNode():
                inner = [(item, depth + 1) for item in node.values]
            case ObjectValueNode():
                inner = [(member.value, depth + 1) for member in node.fields]
            case _:
                continue
        tally.input_depth = max(tally.input_depth, depth)
        tally.literal_values += len(inner)
        waiting += inner
