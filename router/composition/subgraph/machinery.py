"""Federation's own definitions inside a subgraph's SDL: recognising them, and refusing wrong ones.

Libraries print the directives, ``_Any``, ``_Entity`` and ``_entities`` into their SDL, or not, as
they like. Whatever is there is dropped (the specification's definitions are added instead), but a
subgraph that defines ``@key`` with other arguments means something else and must hear about it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from graphql import (
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
)

from router.composition.type_refs import base_name, type_ref
from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import DefinitionNode, InputValueDefinitionNode

    from router.composition.result import Findings
    from router.composition.subgraph.features import Features

__all__ = ["is_machinery", "without_machinery_fields"]

_FIELDS: Final = frozenset({"_service", "_entities"})
_STRINGS: Final = frozenset({"String", "_FieldSet", "FieldSet"})


def is_machinery(
    definition: DefinitionNode, features: Features, subgraph: str, findings: Findings
) -> bool:
    """Whether federation owns the definition; if it is a wrong one, that is an error."""
    if isinstance(definition, DirectiveDefinitionNode):
        name = f"@{definition.name.value}"
        if name in features.machinery:
            _check_directive(definition, features, subgraph, findings)
            return True
        return False
    if not isinstance(definition, (TypeDefinitionNode, TypeExtensionNode)):
        return False
    name = definition.name.value
    if name not in features.machinery:
        return False
    if name in {"_Entity", "_Service"} or isinstance(
        definition, (ScalarTypeDefinitionNode, EnumTypeDefinitionNode)
    ):
        return True
    if name == "FieldSet":  # a type of the user's own that merely has the old scalar's name
        return False
    findings.error(
        ErrorCode.TYPE_DEFINITION_INVALID,
        f'Invalid definition for type "{name}": federation defines it otherwise.',
        subgraphs=(subgraph,),
        coordinates=(name,),
        line=definition.loc.start_token.line if definition.loc else None,
    )
    return True


def without_machinery_fields(definition: DefinitionNode, query: str) -> DefinitionNode:
    """Drop ``_service`` and ``_entities`` from the query root."""
    if not isinstance(definition, (ObjectTypeDefinitionNode, ObjectTypeExtensionNode)):
        return definition
    if definition.name.value != query:
        return definition
    kept = tuple(field for field in definition.fields or () if field.name.value not in _FIELDS)
    return dataclasses.replace(definition, fields=kept)


def _check_directive(
    given: DirectiveDefinitionNode, features: Features, subgraph: str, findings: Findings
) -> None:
    name = given.name.value
    expected = next(
        item
        for item in features.definitions
        if isinstance(item, DirectiveDefinitionNode) and item.name.value == name
    )
    for problem in _differences(given, expected, features):
        findings.error(
            ErrorCode.DIRECTIVE_DEFINITION_INVALID,
            f'Invalid definition for directive "@{name}": {problem}',
            subgraphs=(subgraph,),
            coordinates=(f"@{name}",),
            line=given.loc.start_token.line if given.loc else None,
        )


def _differences(
    given: DirectiveDefinitionNode, expected: DirectiveDefinitionNode, features: Features
) -> Iterator[str]:
    """What is wrong with a definition.

    Leaving out optional arguments or locations is allowed, and so is a field set written as a
    string: older libraries print both.
    """
    missing = {argument.name.value: argument for argument in expected.arguments or ()}
    for argument in given.arguments or ():
        match = missing.pop(argument.name.value, None)
        if match is None:
            yield f'unknown/unsupported argument "{argument.name.value}"'
        elif not _same_type(argument, match, features):
            yield (
                f'argument "{argument.name.value}" should have type "{type_ref(match.type)}" but'
                f' found type "{type_ref(argument.type)}"'
            )
    for name, argument in missing.items():
        if isinstance(argument.type, NonNullTypeNode) and argument.default_value is None:
            yield f'missing required argument "{name}"'
    locations = {location.value for location in expected.locations}
    if extra := [item.value for item in given.locations if item.value not in locations]:
        yield (
            f"it should have locations {', '.join(sorted(locations))}, but found (non-subset)"
            f" {', '.join(extra)}"
        )


def _same_type(
    given: InputValueDefinitionNode, expected: InputValueDefinitionNode, features: Features
) -> bool:
    wanted, got = type_ref(expected.type), type_ref(given.type)
    if base_name(wanted) in features.machinery:  # one of the specification's scalars
        return base_name(got) in _STRINGS | {base_name(wanted)}
    return str(got).removesuffix("!") == str(wanted).removesuffix("!")
