"""The search does not grow without measure, and what is too much work ends with a clear error."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from router.composition import SubgraphInput, compose
from router.composition.result import Findings
from router.composition.satisfiability import check_satisfiability
from router.federation.codes import ErrorCode
from router.planner import Planner, PlanningError
from router.planner.plan import QueryPlan
from router.query_graph import satisfiability
from router.supergraph import Supergraph, load_supergraph

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", '
    'import: ["@key", "@shareable", "@external", "@requires"])\n'
)


def _supergraph(*subgraphs: str) -> Supergraph:
    result = compose(
        [SubgraphInput(f"s{i}", f"http://s{i}", LINK + sdl) for i, sdl in enumerate(subgraphs)]
    )
    assert result.supergraph_sdl is not None, result.errors
    return load_supergraph(result.supergraph_sdl)


def _plan(planner: Planner, query: str) -> QueryPlan:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return planner.plan(document, operation)


def _ring_of_keys(size: int) -> Supergraph:
    """Each subgraph has a key of its own, and gives those of the next three."""
    subgraphs = []
    for i in range(size):
        keys = "".join(f" k{(i + j) % size}: ID! @shareable" for j in range(4))
        root = "type Query { t: T } " if i == 0 else ""
        subgraphs.append(f'{root}type T @key(fields: "k{i}") {{{keys} v{i}: Int }}')
    return _supergraph(*subgraphs)


def _ladder_of_requirements(rungs: int) -> Supergraph:
    """Two fields on every rung, each of which requires both of the rung below; in turn in one
    subgraph and the other.
    """
    subgraphs = []
    for here in (0, 1):
        fields = (
            "id: ID! a0: Int b0: Int "
            if here == 0
            else "id: ID! a0: Int @external b0: Int @external "
        )
        for rung in range(1, rungs + 1):
            below = f'@requires(fields: "a{rung - 1} b{rung - 1}")'
            kind = below if rung % 2 == here else "@external"
            if rung % 2 == here or rung < rungs:
                fields += f"a{rung}: Int {kind} b{rung}: Int {kind} "
        root = "type Query { t: T } " if here == 0 else ""
        subgraphs.append(f'{root}type T @key(fields: "id") {{ {fields} }}')
    return _supergraph(*subgraphs)


def test_a_dense_ring_of_keys_takes_work_in_proportion() -> None:
    sizes = (12, 24, 48)
    work = []
    for size in sizes:
        supergraph = _ring_of_keys(size)
        planner = Planner(supergraph)
        query = "{ t { " + " ".join(f"v{i}" for i in range(size)) + " } }"
        document = parse(query)
        operation = document.definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        search = planner.search(document, operation)
        search.paths.choose(search.units[0], frozenset())
        work.append(search.paths.evaluations)

        assert len(_plan(planner, query).fetches) == size  # everybody is asked once

    assert work[1] < 3 * work[0]
    assert work[2] < 3 * work[1]


def test_a_ladder_of_requirements_is_climbed_once() -> None:
    plan = _plan(Planner(_ladder_of_requirements(40)), "{ t { a40 } }")

    assert len(plan.fetches) == 41


def test_a_chain_too_long_to_follow_is_refused() -> None:
    planner = Planner(_ladder_of_requirements(4), max_evaluations=3)

    with pytest.raises(PlanningError, match="more work than is allowed") as caught:
        _plan(planner, "{ t { a4 } }")

    assert caught.value.code == "QUERY_PLANNING_LIMIT_EXCEEDED"


def test_an_operation_refused_for_its_work_leaves_others_alone() -> None:
    planner = Planner(_ladder_of_requirements(4), max_evaluations=3)
    with pytest.raises(PlanningError):
        _plan(planner, "{ t { a4 } }")

    assert len(_plan(planner, "{ t { a0 } }").fetches) == 1


def test_a_supergraph_that_takes_too_much_work_to_check_does_not_compose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supergraph = _ring_of_keys(6)
    findings = Findings()
    monkeypatch.setattr(satisfiability.find_unsatisfiable, "__defaults__", (20, 10))

    check_satisfiability(supergraph, findings)

    assert [error.code for error in findings.errors] == [
        ErrorCode.MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED
    ]
