"""Our composition against `@apollo/composition`, on every composition case and every feature.

Supergraphs are compared by meaning: definitions, directives and arguments regardless of order.
Where we knowingly answer otherwise, the case says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    Node,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from router.composition import SubgraphInput, compose
from router.federation.hints import HintCode
from tests.federation.composition.cases import composition_cases, feature_subgraphs
from tests.federation.equivalence.supergraphs import random_subgraphs
from tests.node.run import compose_with_apollo

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm_packages")]


def _as_json(subgraphs: Sequence[SubgraphInput]) -> list[dict[str, str]]:
    return [{"name": item.name, "url": item.url, "sdl": item.sdl} for item in subgraphs]


WITH_DIRECTIVES = (
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
)


class _Sorted(Visitor):
    """Sorts what has no order: directives and their arguments."""

    def leave(self, node: Node, *_: object) -> Node | None:
        if isinstance(node, DirectiveNode) and node.arguments:
            return replace(node, arguments=tuple(sorted(node.arguments, key=print_ast)))
        if isinstance(node, WITH_DIRECTIVES) and node.directives:
            return replace(node, directives=tuple(sorted(node.directives, key=print_ast)))
        return None


def normalised(sdl: str) -> str:
    """An SDL with everything in it sorted that has no order."""
    document = parse(sdl, no_location=True)
    document = visit(document, _Sorted())
    definitions = tuple(sorted(document.definitions, key=print_ast))
    return print_ast(DocumentNode(definitions=definitions))


def test_error_codes_are_those_of_apollo() -> None:
    cases = composition_cases()

    results = compose_with_apollo([_as_json(case.subgraphs) for case in cases])

    found = {str(case): result.errors for case, result in zip(cases, results, strict=True)}
    assert found == {str(case): case.apollo_codes for case in cases}


def test_supergraphs_of_the_composition_cases_are_those_of_apollo() -> None:
    cases = [case for case in composition_cases() if not case.codes and not case.differs]

    results = compose_with_apollo([_as_json(case.subgraphs) for case in cases])

    for case, apollo in zip(cases, results, strict=True):
        ours = compose(case.subgraphs)
        assert ours.supergraph_sdl is not None
        assert apollo.sdl is not None
        assert normalised(ours.supergraph_sdl) == normalised(apollo.sdl), case
        assert {str(hint.code) for hint in ours.hints} == apollo.hints, case


def test_supergraphs_of_the_features_are_those_of_apollo() -> None:
    features = feature_subgraphs()

    results = compose_with_apollo([_as_json(subgraphs) for subgraphs in features.values()])

    for (name, subgraphs), apollo in zip(features.items(), results, strict=True):
        ours = compose(subgraphs)
        assert ours.supergraph_sdl is not None, (name, ours.errors)
        assert apollo.sdl is not None, (name, apollo.errors)
        assert normalised(ours.supergraph_sdl) == normalised(apollo.sdl), name
        # Apollo hints at differing runtime types only where its walk over all paths meets them.
        hints = {str(hint.code) for hint in ours.hints}
        doubt = HintCode.INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN
        assert hints - {doubt} == apollo.hints - {doubt}, name


def test_random_subgraphs_compose_as_with_apollo_or_not_at_all() -> None:
    sets = [
        [SubgraphInput(name, f"http://{name}", sdl) for name, sdl in random_subgraphs(seed).items()]
        for seed in range(300)
    ]

    results = compose_with_apollo([_as_json(subgraphs) for subgraphs in sets])

    for seed, (subgraphs, apollo) in enumerate(zip(sets, results, strict=True)):
        ours = compose(subgraphs)
        assert {str(error.code) for error in ours.errors} == apollo.errors, seed
        if ours.supergraph_sdl is not None and apollo.sdl is not None:
            assert normalised(ours.supergraph_sdl) == normalised(apollo.sdl), seed
