"""Access rules as composition handles them: read from merged directives and printed as such."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from graphql import parse_const_value

from router.composition.supergraph_model import MergedUse
from router.federation.access import FREE, NO_ALTERNATIVES, Access, alternatives_of
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.federation.access import Alternatives

__all__ = ["ACCESS", "access_of", "alternatives_text", "uses_of"]

_ARGUMENTS: Final = {
    FederationDirective.REQUIRES_SCOPES: "scopes",
    FederationDirective.POLICY: "policies",
}
ACCESS: Final = frozenset({FederationDirective.AUTHENTICATED, *_ARGUMENTS})
"""The directives that restrict access."""


def access_of(uses: Iterable[MergedUse]) -> Access:
    """What the access directives among these ask for."""
    access = FREE
    for use in uses:
        if use.kind is FederationDirective.AUTHENTICATED:
            access &= Access(authenticated=True)
        elif use.kind in _ARGUMENTS:
            argument = _ARGUMENTS[use.kind]
            found = alternatives_of(parse_const_value(dict(use.arguments)[argument]))
            access &= Access(scopes=found) if argument == "scopes" else Access(policies=found)
    return access


def uses_of(access: Access, names: Mapping[FederationDirective, str]) -> list[MergedUse]:
    """The directives that ask for this, under the supergraph's names."""
    found: list[MergedUse] = []
    if access.authenticated:
        kind = FederationDirective.AUTHENTICATED
        found.append(MergedUse(names[kind], (), kind))
    for kind, argument in _ARGUMENTS.items():
        alternatives = access.scopes if argument == "scopes" else access.policies
        if alternatives != NO_ALTERNATIVES:
            text = alternatives_text(alternatives)
            found.append(MergedUse(names[kind], ((argument, text),), kind))
    return found


def alternatives_text(alternatives: Alternatives) -> str:
    """Alternatives as printed, sorted."""
    return json.dumps(sorted(sorted(group) for group in alternatives), ensure_ascii=False)
