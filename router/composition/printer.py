"""Printing the supergraph: deterministic, sorted by name, in the layout of Apollo's composition.

The same subgraphs always give the same text, whatever order their types stand in, so that a
supergraph can be checked in and its diff read. Fields keep their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.composition.model import ROOT_TYPES, TypeKind, quoted
from router.federation.directives import FederationDirective
from router.federation.join import JoinDirective, join_types

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.composition.supergraph_model import (
        MergedArgument,
        MergedDirective,
        MergedElement,
        MergedLink,
        MergedSupergraph,
        MergedType,
    )

__all__ = ["print_supergraph"]

_LINK_PURPOSE: Final = '''enum link__Purpose {
  """
  `SECURITY` features provide metadata necessary to securely resolve fields.
  """
  SECURITY

  """
  `EXECUTION` features provide metadata necessary for operation execution.
  """
  EXECUTION
}'''
_LONG: Final = 70  # where Apollo's printer, and so ours, puts a description's quotes on own lines


def print_supergraph(supergraph: MergedSupergraph) -> str:
    """The supergraph's SDL, ending in a newline."""
    directives = dict(supergraph.definitions)
    directives |= {item.name: _directive(item) for item in supergraph.directives.values()}
    types = {name: _type(merged) for name, merged in supergraph.types.items()}
    types |= join_types(supergraph.join)
    types |= {name: f"scalar {name}" for name in supergraph.scalars}
    types["join__Graph"] = _graphs(supergraph)
    types["link__Import"] = "scalar link__Import"
    types["link__Purpose"] = _LINK_PURPOSE
    blocks = [_schema(supergraph), *_sorted(directives), *_sorted(types)]
    return "\n\n".join(blocks) + "\n"


def _sorted(blocks: dict[str, str]) -> Iterable[str]:
    """Blocks in the order of their names: letters regardless of case, ``_`` before them."""
    return (blocks[name] for name in sorted(blocks, key=lambda name: (_sort_key(name), name)))


def _sort_key(name: str) -> str:
    return name.casefold().replace("_", "\0")


def _schema(supergraph: MergedSupergraph) -> str:
    schema = supergraph.schema
    lines = [f"{_description(schema, '')}schema"]
    lines += [f"  {_link(link)}" for link in supergraph.links]
    lines += [f"  {use}" for use in (*schema.joins, *schema.uses)]
    roots = [name for name in ROOT_TYPES if name in supergraph.types]
    return "\n".join([*lines, "{", *(f"  {name.lower()}: {name}" for name in roots), "}"])


def _link(link: MergedLink) -> str:
    parts = [f'url: "{link.url}"']
    if link.alias:
        parts.append(f'as: "{link.alias}"')
    if link.purpose:
        parts.append(f"for: {link.purpose}")
    if link.imports:
        parts.append(f"import: [{', '.join(link.imports)}]")
    return f"@link({', '.join(parts)})"


def _graphs(supergraph: MergedSupergraph) -> str:
    values = (
        f"  {graph.value} @{JoinDirective.GRAPH}(name: {quoted(graph.name)},"
        f" url: {quoted(graph.url)})"
        for graph in supergraph.graphs
    )
    return "\n".join(["enum join__Graph {", *values, "}"])


def _directive(directive: MergedDirective) -> str:
    repeatable = " repeatable" if directive.repeatable else ""
    arguments = _arguments(directive.arguments.values(), "")
    text = (
        f"directive @{directive.name}{arguments}{repeatable} on {' | '.join(directive.locations)}"
    )
    return _description(directive, "") + text


def _type(merged: MergedType) -> str:
    head = f"{merged.kind} {merged.name}"
    if merged.interfaces:
        head += f" implements {' & '.join(merged.interfaces)}"
    lines = [head, *(f"  {use}" for use in (*merged.joins, *merged.uses))]
    text = _description(merged, "") + "\n".join(lines)
    if merged.kind is TypeKind.UNION:
        return f"{text}\n = {' | '.join(merged.members)}"
    members = _members(merged)
    if not members:
        return text
    return "\n".join([text, "{", *members, "}"])


def _members(merged: MergedType) -> list[str]:
    """The lines between a type's braces."""
    return _set_off(
        f"{_description(element, '  ')}  {head}{_uses(element)}"
        for element, head in _member_heads(merged)
    )


def _set_off(texts: Iterable[str]) -> list[str]:
    """Put an empty line before everything that has a description, but for the first."""
    lines: list[str] = []
    for text in texts:
        if lines and text.lstrip().startswith('"""'):
            lines.append("")
        lines.append(text)
    return lines


def _member_heads(merged: MergedType) -> Iterable[tuple[MergedElement, str]]:
    for field in merged.fields.values():
        yield field, f"{field.name}{_arguments(field.arguments.values(), '  ')}: {field.type}"
    for value in merged.inputs.values():
        yield value, _input_value(value)
    for item in merged.values.values():
        yield item, item.name


def _arguments(arguments: Iterable[MergedArgument], indent: str) -> str:
    """An argument list; one argument per line as soon as one of them is described."""
    listed = list(arguments)
    if not listed:
        return ""
    if not any(argument.description for argument in listed):
        return f"({', '.join(_input_value(item) + _uses(item) for item in listed)})"
    lines = _set_off(
        f"{_description(item, indent + '  ')}{indent}  {_input_value(item)}{_uses(item)}"
        for item in listed
    )
    return "\n".join(["(", *lines, f"{indent})"])


def _input_value(value: MergedArgument) -> str:
    default = "" if value.default is None else f" = {value.default}"
    return f"{value.name}: {value.type}{default}"


def _uses(element: MergedElement) -> str:
    hidden = [use for use in element.uses if use.kind is FederationDirective.INACCESSIBLE]
    shown = [use for use in element.uses if use.kind is not FederationDirective.INACCESSIBLE]
    return "".join(f" {use}" for use in (*hidden, *element.joins, *shown))


def _description(element: MergedElement, indent: str) -> str:
    text = element.description
    if not text:
        return ""
    escaped = text.replace('"""', '\\"""')
    if "\n" not in escaped and len(escaped) < _LONG and not escaped.endswith(('"', "\\")):
        return f'{indent}"""{escaped}"""\n'
    lines = (f"{indent}{line}" if line else "" for line in escaped.split("\n"))
    return "\n".join([f'{indent}"""', *lines, f'{indent}"""\n'])
