"""The directives that subgraphs define themselves.

Two kinds reach the supergraph: those named by ``@composeDirective``, and executable ones that every
subgraph defines (an operation may use them in any part of it, so every subgraph has to know them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.composition.merge.arguments import merge_arguments
from router.composition.merge.context import listed, merge_description, names_of
from router.composition.supergraph_model import MergedDirective
from router.federation.hints import HintCode

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import DirectiveDefinition

__all__ = ["merge_definitions"]

_EXECUTABLE: Final = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)


def merge_definitions(context: MergeContext) -> None:
    """Merge the directives that subgraphs define: composed ones, and executable ones."""
    for name, (subgraph, definition) in context.composed.definitions.items():
        _define(
            context, name, [(subgraph, definition)], definition.locations, definition.repeatable
        )
    _merge_executable(context)


def _define(
    context: MergeContext,
    name: str,
    sources: Sources[DirectiveDefinition],
    locations: tuple[str, ...],
    repeatable: bool,
) -> None:
    context.supergraph.directives[name] = MergedDirective(
        name=name,
        description=merge_description(context, f"@{name}", sources),
        arguments=merge_arguments(
            context, f"@{name}", [(subgraph, item.arguments) for subgraph, item in sources]
        ),
        locations=locations,
        repeatable=repeatable,
    )


def _merge_executable(context: MergeContext) -> None:
    """Executable directives: those that all subgraphs define, where all of them allow them."""
    names = dict.fromkeys(name for subgraph in context.subgraphs for name in subgraph.directives)
    for name in names:
        sources = [
            (subgraph, subgraph.directives[name])
            for subgraph in context.subgraphs
            if name in subgraph.directives
            and _EXECUTABLE.intersection(subgraph.directives[name].locations)
        ]
        if not sources or name in context.supergraph.directives:
            continue
        if len(sources) < len(context.subgraphs):
            lacking = [
                item.name for item in context.subgraphs if item.name not in names_of(sources)
            ]
            _hint(
                context,
                HintCode.INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE,
                f'Executable directive "@{name}" will not be part of the supergraph as it does not'
                f" appear in all subgraphs: it is not defined in {listed(lacking)}.",
                name,
                sources,
            )
            continue
        _merge_one_executable(context, name, sources)


def _merge_one_executable(
    context: MergeContext, name: str, sources: Sources[DirectiveDefinition]
) -> None:
    executable = [
        [location for location in definition.locations if location in _EXECUTABLE]
        for _, definition in sources
    ]
    common = tuple(
        location for location in executable[0] if all(location in other for other in executable)
    )
    if not common:
        _hint(
            context,
            HintCode.NO_EXECUTABLE_DIRECTIVE_INTERSECTION,
            f'Executable directive "@{name}" has no location that is common to all subgraphs: it'
            " will not appear in the supergraph.",
            name,
            sources,
        )
        return
    if any(set(locations) != set(common) for locations in executable):
        _hint(
            context,
            HintCode.INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS,
            f'Executable directive "@{name}" has inconsistent locations across subgraphs and will'
            f' use "{", ".join(common)}" (intersection of all subgraphs) in the supergraph.',
            name,
            sources,
        )
    repeatable = {definition.repeatable for _, definition in sources}
    if len(repeatable) > 1:
        _hint(
            context,
            HintCode.INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE,
            f'Executable directive "@{name}" will not be marked repeatable in the supergraph as it'
            " is inconsistently marked repeatable in subgraphs.",
            name,
            sources,
        )
    _define(context, name, sources, common, repeatable == {True})


def _hint(
    context: MergeContext,
    code: HintCode,
    message: str,
    name: str,
    sources: Sources[DirectiveDefinition],
) -> None:
    context.findings.hint(code, message, subgraphs=names_of(sources), coordinates=(f"@{name}",))
