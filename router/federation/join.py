"""The join specification: how a supergraph records where its parts come from.

Versions 0.1 to 0.5 are accepted when a supergraph is loaded; composition writes the newest. The
definitions are kept as SDL, because both the printer and the loader want them so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from router.federation.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "JOIN_IDENTITY",
    "JOIN_VERSIONS",
    "LATEST_JOIN",
    "JoinDirective",
    "graph_enum_values",
    "join_definitions",
    "join_types",
    "join_version_for",
]

JOIN_IDENTITY: Final = "https://specs.apollo.dev/join"
JOIN_VERSIONS: Final = tuple(Version(0, minor) for minor in range(1, 6))
LATEST_JOIN: Final = JOIN_VERSIONS[-1]

_V2, _V3, _V4, _V5 = JOIN_VERSIONS[1:]


class JoinDirective(StrEnum):
    """The join specification's directives, under their usual local names."""

    DIRECTIVE = "join__directive"
    ENUM_VALUE = "join__enumValue"
    FIELD = "join__field"
    GRAPH = "join__graph"
    IMPLEMENTS = "join__implements"
    OWNER = "join__owner"  # v0.1 only
    TYPE = "join__type"
    UNION_MEMBER = "join__unionMember"


def join_version_for(federation: Version) -> Version:
    """The oldest join version that can say all that a Federation version can.

    The newest would do as well, but older routers read what they know.
    """
    if federation >= Version(2, 8):
        return _V5
    return _V4 if federation >= Version(2, 7) else _V3


def join_definitions(version: Version = LATEST_JOIN) -> Mapping[str, str]:
    """The directive definitions of a join version, by name."""
    definitions = {
        JoinDirective.GRAPH: "(name: String!, url: String!) on ENUM_VALUE",
        JoinDirective.TYPE: _type(version),
        JoinDirective.FIELD: _field(version),
    }
    if version < _V2:
        definitions[JoinDirective.OWNER] = "(graph: join__Graph!) on OBJECT"
    else:
        definitions[JoinDirective.IMPLEMENTS] = (
            "(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE"
        )
    if version >= _V3:
        definitions[JoinDirective.UNION_MEMBER] = (
            "(graph: join__Graph!, member: String!) repeatable on UNION"
        )
        definitions[JoinDirective.ENUM_VALUE] = "(graph: join__Graph!) repeatable on ENUM_VALUE"
    if version >= _V4:
        definitions[JoinDirective.DIRECTIVE] = (
            "(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments)"
            " repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION"
        )
    return {str(name): f"directive @{name}{rest}" for name, rest in definitions.items()}


def join_types(version: Version = LATEST_JOIN) -> Mapping[str, str]:
    """The types of a join version but for ``join__Graph``, which lists the subgraphs."""
    types = {"join__FieldSet": "scalar join__FieldSet"}
    if version >= _V4:
        types["join__DirectiveArguments"] = "scalar join__DirectiveArguments"
    if version >= _V5:
        types["join__FieldValue"] = "scalar join__FieldValue"
        types["join__ContextArgument"] = (
            "input join__ContextArgument {\n"
            "  name: String!\n"
            "  type: String!\n"
            "  context: String!\n"
            "  selection: join__FieldValue!\n"
            "}"
        )
    return types


def graph_enum_values(names: Iterable[str]) -> dict[str, str]:
    """The ``join__Graph`` value of every subgraph, by the rules that Apollo's tools use.

    Upper case, other characters than letters, digits and ``_`` become ``_``; a leading digit gets
    a ``_`` before it and a numeric ending one after it, so that the ``_1``, ``_2`` that tell apart
    names which became equal cannot clash with a name of its own.
    """
    sanitised: dict[str, list[str]] = defaultdict(list)
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        if plain[:1].isdigit():
            plain = f"_{plain}"
        if re.search(r"_\d+$", plain):
            plain = f"{plain}_"
        sanitised[plain.upper()].append(name)
    return {
        name: value if len(same) == 1 else f"{value}_{index}"
        for value, same in sanitised.items()
        for index, name in enumerate(same, start=1)
    }


def _type(version: Version) -> str:
    arguments = ["graph: join__Graph!", "key: join__FieldSet"]
    if version >= _V2:
        arguments += ["extension: Boolean! = false", "resolvable: Boolean! = true"]
    if version >= _V3:
        arguments += ["isInterfaceObject: Boolean! = false"]
    repeatable = " repeatable" if version >= _V2 else ""
    return (
        f"({', '.join(arguments)}){repeatable}"
        " on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR"
    )


def _field(version: Version) -> str:
    graph = "join__Graph" if version >= _V3 else "join__Graph!"
    arguments = [f"graph: {graph}", "requires: join__FieldSet", "provides: join__FieldSet"]
    if version >= _V2:
        arguments += ["type: String", "external: Boolean", "override: String"]
        arguments += ["usedOverridden: Boolean"]
    if version >= _V4:
        arguments += ["overrideLabel: String"]
    if version >= _V5:
        arguments += ["contextArguments: [join__ContextArgument!]"]
    return f"({', '.join(arguments)}) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION"
