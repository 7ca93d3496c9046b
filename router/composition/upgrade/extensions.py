"""Extensions of types that live elsewhere: in Federation 2 simply types."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from router.composition.upgrade.rewrite import map_types
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from router.composition.model import Subgraph

__all__ = ["make_definitions"]


def make_definitions(subgraph: Subgraph) -> Subgraph:
    """Make every extension a definition, but for those marked ``@extends``, which stays legal."""
    return map_types(
        subgraph,
        lambda definition: replace(
            definition, is_extension=definition.has(FederationDirective.EXTENDS)
        ),
    )
