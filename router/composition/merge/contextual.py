"""``@fromContext`` in the supergraph: the ``contextArguments`` of a ``join__field``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.contexts import context_name, split_context_value
from router.composition.model import quoted
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from router.composition.model import Field, Subgraph

__all__ = ["context_arguments"]


def context_arguments(subgraph: Subgraph, field: Field) -> str | None:
    """The printed list of a field's contextual arguments; None when it has none."""
    entries: list[str] = []
    for argument in field.arguments.values():
        use = argument.find(FederationDirective.FROM_CONTEXT)
        split = split_context_value(use.string("field") or "") if use else None
        if split is None:
            continue
        context, selection = split
        entries.append(
            f"{{context: {quoted(context_name(subgraph, context))},"
            f' name: "{argument.name}", type: "{argument.type}",'
            f" selection: {quoted(selection)}}}"
        )
    return f"[{', '.join(entries)}]" if entries else None
