"""The planner benchmark: supergraphs that compose, valid queries of the wanted size, a report."""

from __future__ import annotations

from graphql import parse, validate

from benchmarks.planner.measure import (
    Planning,
    measure_building,
    measure_planning,
    queries_of,
)
from benchmarks.planner.report import Synthetic, as_markdown
from benchmarks.planner.synthetic import synthetic_subgraphs
from router.composition import compose
from router.supergraph import load_supergraph


def test_synthetic_supergraphs_compose_whatever_the_seed() -> None:
    for seed in range(4):
        inputs = synthetic_subgraphs(6, 40, seed)

        composed = compose(inputs)

        assert len(inputs) == 6
        assert composed.errors == ()
        assert composed.supergraph_sdl is not None
        assert len(load_supergraph(composed.supergraph_sdl).types) >= 40


def test_generated_queries_are_valid_and_can_be_planned() -> None:
    composed = compose(synthetic_subgraphs(6, 40))
    assert composed.supergraph_sdl is not None
    supergraph = load_supergraph(composed.supergraph_sdl)

    queries = queries_of(supergraph, count=5, fields=60)
    planning = measure_planning(supergraph, queries)

    assert [validate(supergraph.api_schema, parse(query)) for query in queries] == [[]] * 5
    assert all(60 <= selected < 80 for selected in planning.selected)
    assert planning.worst >= planning.median > 0


def test_the_report_has_a_row_per_supergraph() -> None:
    inputs = synthetic_subgraphs(3, 20)
    building = measure_building(inputs, [])
    plans = Planning(times=(0.001, 0.002, 0.004), selected=(9, 10, 11), fetches=(2, 3, 4))

    report = as_markdown(plans, plans, 7, [Synthetic(building, plans)])

    name = f"3 subgraphs, {building.types} types"
    assert "| federation cases (7 supergraphs) | 3 | 10, 11 | 3, 4 | 2.0 | 4.0 |" in report
    assert report.count(f"| {name} |") == 2
    assert building.compose > building.satisfiability > 0
    assert building.model > building.sdl
