"""Changes of what operations cost: ``@cost`` and ``@listSize``.

An operation that was just within a limit may not be any more. Whether it is depends on the limits
and on the operations, so every change is dangerous and none is breaking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graphql import TypeDefinitionNode, print_ast

from router.compat.model import Change, ChangeCode, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import DocumentNode, Node

    from router.compat.version import Version

__all__ = ["cost_changes"]

_SPEC: Final = "cost"
_DIRECTIVES: Final = ("cost", "listSize")


def cost_changes(before: Version, after: Version) -> Iterator[Change]:
    """Changes of the costs of what both versions have."""
    old, new = _costs(before), _costs(after)
    for coordinate, costs in old.items():
        changed = new.get(coordinate)
        if changed is not None and costs != changed:
            message = f"The cost of {coordinate} changed from {_text(costs)} to {_text(changed)}."
            yield Change(Severity.DANGEROUS, ChangeCode.COST_CHANGED, message)


def _text(costs: tuple[str, ...]) -> str:
    return " ".join(costs) or "the default"


def _costs(version: Version) -> dict[str, tuple[str, ...]]:
    """Everything that may have a cost, with the directives that say so, by coordinate."""
    names = version.local_names(_SPEC, _DIRECTIVES)
    return {
        coordinate: tuple(
            sorted(
                print_ast(use).replace(use.name.value, names[use.name.value], 1)
                for use in getattr(node, "directives", None) or ()
                if use.name.value in names
            )
        )
        for coordinate, node in _places(version.document)
    }


def _places(document: DocumentNode) -> Iterator[tuple[str, Node]]:
    for definition in document.definitions:
        if not isinstance(definition, TypeDefinitionNode):
            continue
        name = definition.name.value
        yield name, definition
        for field in getattr(definition, "fields", None) or ():
            coordinate = f"{name}.{field.name.value}"
            yield coordinate, field
            for argument in getattr(field, "arguments", None) or ():
                yield f"{coordinate}({argument.name.value}:)", argument
