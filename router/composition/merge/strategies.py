"""How the arguments of ``@cost``, ``@listSize``, ``@requiresScopes`` and ``@policy`` merge.

Always to the safe side: the higher cost, and the access that satisfies every subgraph.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from graphql import ValueNode, value_from_ast_untyped

from router.composition.access import alternatives_text
from router.federation.access import alternatives_of, conjunction
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from router.composition.model import DirectiveUse

__all__ = ["STRATEGIES", "merge_arguments_by_strategy"]

# None stands for an argument that was not given or is null.
_Strategy: TypeAlias = Callable[[Sequence[ValueNode | None]], str | None]


def merge_arguments_by_strategy(
    kind: FederationDirective, uses: Sequence[DirectiveUse]
) -> tuple[tuple[str, str], ...]:
    """Merge the arguments of several applications of one directive; arguments merged to null go."""
    merged = {
        name: strategy([use.arguments.get(name) for use in uses])
        for name, strategy in STRATEGIES[kind].items()
    }
    return tuple((name, value) for name, value in merged.items() if value is not None)


def _conjunction(values: Sequence[ValueNode | None]) -> str | None:
    return alternatives_text(conjunction(map(alternatives_of, values)))


def _maximum(values: Sequence[ValueNode | None]) -> str | None:
    numbers = [number for number in map(_plain, values) if isinstance(number, int)]
    return str(max(numbers)) if numbers else None


def _union(values: Sequence[ValueNode | None]) -> str | None:
    lists = [items for items in map(_plain, values) if isinstance(items, list)]
    if not lists:
        return None
    return json.dumps(list(dict.fromkeys(item for items in lists for item in items)))


def _all_true(values: Sequence[ValueNode | None]) -> str | None:
    # The argument's default is true.
    given = [True if value is None else _plain(value) for value in values]
    return "true" if all(value is not False for value in given) else "false"


def _plain(value: ValueNode | None) -> object:
    return None if value is None else value_from_ast_untyped(value)


STRATEGIES: Final[dict[FederationDirective, dict[str, _Strategy]]] = {
    FederationDirective.COST: {"weight": _maximum},
    FederationDirective.LIST_SIZE: {
        "assumedSize": _maximum,
        "slicingArguments": _union,
        "sizedFields": _union,
        "requireOneSlicingArgument": _all_true,
    },
    FederationDirective.REQUIRES_SCOPES: {"scopes": _conjunction},
    FederationDirective.POLICY: {"policies": _conjunction},
}
"""A rule for every argument, by directive."""
