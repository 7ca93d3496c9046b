"""Changes of who may ask: ``@authenticated``, ``@requiresScopes`` and ``@policy``.

A rule is a choice of alternatives, each a set of things a client must have; it admits whoever has
all of one alternative. No rule is the alternative that asks nothing. So a rule got stricter when
some old alternative holds none of the new ones:

    [["a"], ["b"]] -> [["a"]]       stricter: who has only "b" is out
    [["a"]] -> [["a"], ["b", "c"]]  looser
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from graphql import (
    EnumTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListValueNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
)

from router.compat.model import Change, ChangeCode, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import DirectiveNode, DocumentNode, Node

    from router.compat.version import Version

__all__ = ["access_changes"]

Rule: TypeAlias = frozenset[frozenset[str]]

ANYONE: Final[Rule] = frozenset({frozenset()})
_SPECS: Final = ("authenticated", "requiresScopes", "policy")


def access_changes(before: Version, after: Version) -> Iterator[Change]:
    """Changes of the rules of what both versions have."""
    old, new = _rules(before), _rules(after)
    for (coordinate, directive), rule in old.items():
        if (coordinate, directive) not in new:
            continue  # the type or field is gone
        changed = new[coordinate, directive]
        if not _admits(changed, rule):
            message = f"{coordinate}: @{directive} now asks for {_text(changed)}."
            yield Change(Severity.BREAKING, ChangeCode.ACCESS_RESTRICTED, message)
        elif not _admits(rule, changed):
            message = f"{coordinate}: @{directive} no longer asks for {_text(rule)}."
            if changed != ANYONE:
                message = f"{message[:-1]}, only for {_text(changed)}."
            yield Change(Severity.DANGEROUS, ChangeCode.ACCESS_LOOSENED, message)


def _admits(rule: Rule, clients: Rule) -> bool:
    """Whether ``rule`` lets in everyone whom ``clients`` lets in."""
    return all(any(needed <= had for needed in rule) for had in clients)


def _text(rule: Rule) -> str:
    return " or ".join(sorted(" and ".join(sorted(needed)) for needed in rule))


def _rules(version: Version) -> dict[tuple[str, str], Rule]:
    """The rules of every type and field: (coordinate, directive) -> rule."""
    names = {spec: next(iter(version.local_names(spec, (spec,))), spec) for spec in _SPECS}
    return {
        (coordinate, spec): _rule(node, spec, name)
        for coordinate, node in _places(version.document)
        for spec, name in names.items()
    }


def _places(document: DocumentNode) -> Iterator[tuple[str, Node]]:
    for definition in document.definitions:
        if isinstance(definition, ScalarTypeDefinitionNode | EnumTypeDefinitionNode):
            yield definition.name.value, definition
        elif isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            yield definition.name.value, definition
            for field in definition.fields or ():
                yield f"{definition.name.value}.{field.name.value}", field


def _rule(node: Node, spec: str, name: str) -> Rule:
    directives: tuple[DirectiveNode, ...] = tuple(getattr(node, "directives", None) or ())
    for directive in directives:
        if directive.name.value == name:
            if spec == "authenticated":
                return frozenset({frozenset({"a known user"})})
            return _alternatives(directive)
    return ANYONE


def _alternatives(directive: DirectiveNode) -> Rule:
    value = directive.arguments[0].value if directive.arguments else None
    if not isinstance(value, ListValueNode):
        return ANYONE
    return frozenset(
        frozenset(
            item.value
            for item in (inner.values if isinstance(inner, ListValueNode) else (inner,))
            if isinstance(item, StringValueNode)
        )
        for inner in value.values
    )
